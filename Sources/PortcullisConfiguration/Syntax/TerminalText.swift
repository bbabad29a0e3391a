// SPDX-License-Identifier: MIT

/// Escapes untrusted text before it is printed to a terminal.
package enum TerminalText {
    /// Whether a character is safe to print: visible, without effect on the terminal or the text order.
    ///
    /// Unsafe: control characters (C0, DEL, C1), format characters (bidirectional controls, zero-width
    /// characters, the byte order mark, tags), line and paragraph separators, private use, unassigned.
    package static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        // Most characters are ASCII, and need no look into Unicode's tables.
        if scalar.isASCII { return 0x20 <= scalar.value && scalar.value < 0x7F }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
            false
        default: true
        }
    }

    /// Returns the text with each unsafe character written as `\u{…}`.
    package static func printable(_ text: String) -> String {
        // Most text needs no escape.
        if text.unicodeScalars.allSatisfy(isShown) { return text }
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

    /// Returns several lines, each ``printable(_:)``; line feeds stay.
    package static func printableLines(_ text: String) -> String {
        // CR LF is one `Character`, so the text is split between scalars.
        text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
            .map { printable(String($0)) }.joined(separator: "\n")
    }

    /// Returns a JSON document with the same value, in which each unsafe character is an escape.
    ///
    /// Line feeds between its tokens stay. RFC 8259 §7.
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
