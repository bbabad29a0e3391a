// SPDX-License-Identifier: MIT

import PortcullisHTTP
public import PortcullisJOSE

extension JSONPointer: ExpressibleByStringLiteral {
    /// Creates a pointer from a literal.
    ///
    /// Traps if the literal is not a pointer. RFC 6901 §3.
    public init(stringLiteral text: String) {
        let parsed: JSONPointer? = JSONPointer(text)
        guard let parsed else {
            endForMistake(
                "A JSON pointer begins with a slash, and a tilde in it is written ~0; "
                    + "\(String(reflecting: text)) is not one (RFC 6901 §3).")
        }
        self = parsed
    }
}
