// SPDX-License-Identifier: MIT

import PortcullisHTTP

let notAScope = "must be a scope: printable ASCII without blank, quotation mark and backslash"

/// RFC 6749 §3.3.
func isScopeToken(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy(CharacterClass.isScopeCharacter)
}
