// SPDX-License-Identifier: MIT

/// Text from outside, on its way to a terminal.
package enum TerminalText {
    /// Whether a terminal may be shown a character: it neither obeys it, nor hides it, nor turns the text around it about.
    ///
    /// Not: control characters (C0, DEL, C1), format characters (bidirectional controls, zero-width characters, the byte order mark,
    /// tags), line and paragraph separators, private use, and what is assigned to nothing.
    package static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
            false
        default: true
        }
    }

    /// A text in which each character that must not be shown is written as `\u{…}`: what came from the network stays text.
    package static func printable(_ text: String) -> String {
        guard !text.unicodeScalars.allSatisfy(isShown) else { return text }
        var output = ""
        for scalar in text.unicodeScalars {
            if isShown(scalar) {
                output.unicodeScalars.append(scalar)
            } else {
                output += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return output
    }

    /// Several lines, each of them ``printable(_:)``: line feeds stay.
    package static func printableLines(_ text: String) -> String {
        // A carriage return before a line feed is one `Character` with it, so the text is cut between scalars.
        text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
            .map { printable(String($0)) }.joined(separator: "\n")
    }

    /// A JSON document with the same value, in which each character that must not be shown is an escape.
    ///
    /// Outside its strings a document may have line feeds, which stay, and no other such character. RFC 8259 §7.
    package static func printableJSON(_ document: String) -> String {
        var output = ""
        for scalar in document.unicodeScalars {
            if isShown(scalar) || scalar == "\n" {
                output.unicodeScalars.append(scalar)
            } else {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    output += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
                }
            }
        }
        return output
    }
}
