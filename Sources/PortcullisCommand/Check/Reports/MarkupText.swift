// SPDX-License-Identifier: MIT

/// Text in XML and HTML.
enum MarkupText {
    /// Returns the text with the characters of markup as references, for content and quoted attributes.
    ///
    /// Characters that XML 1.0 forbids become U+FFFD. XML 1.0 §2.2.
    static func escaped(_ text: String) -> String {
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": output += "&amp;"
            case "<": output += "&lt;"
            case ">": output += "&gt;"
            case "\"": output += "&quot;"
            case "'": output += "&#39;"
            case "\t", "\n", "\r": output.unicodeScalars.append(scalar)
            case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": output += "\u{FFFD}"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }
}
