// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// Makes text from other parties fit for one line of a log.
package enum ForeignText {
    /// The most characters of such a text in a message.
    package static let maximumCharacterCount = 200

    /// The text with other characters than printable ASCII as escapes, and cut after 200 characters.
    package static func shown(_ text: String) -> String { shown(text, maximum: maximumCharacterCount) }

    /// The text with other characters than printable ASCII as escapes, and cut after `maximum` characters.
    package static func shown(_ text: String, maximum: Int) -> String {
        var result = ""
        for (index, scalar) in text.unicodeScalars.enumerated() {
            guard index < maximum else { return result + "…" }
            switch scalar.value {
            case 0x20...0x7E: result.unicodeScalars.append(scalar)
            default: result += "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return result
    }

    /// A URL without query and fragment, which may contain secrets; `nil` if it has user information.
    package static func shownURL(_ text: String) -> String? {
        let start = text.utf8.prefix { $0 != 0x3F && $0 != 0x23 }
        guard !start.contains(0x40) else { return nil }
        return shown(String(decoding: start, as: UTF8.self))
    }
}
