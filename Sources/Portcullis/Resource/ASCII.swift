// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// Comparisons of ASCII text without regard to case, and nothing else.
package enum ASCII {
    package static func equalIgnoringCase(_ first: String, _ second: String) -> Bool {
        first.utf8.count == second.utf8.count
            && zip(first.utf8, second.utf8).allSatisfy {
                CharacterClass.lowercase($0) == CharacterClass.lowercase($1)
            }
    }

    package static func lowercased(_ text: some StringProtocol) -> String {
        String(decoding: text.utf8.map(CharacterClass.lowercase), as: UTF8.self)
    }
}
