// SPDX-License-Identifier: MIT

import PortcullisJOSE

extension CrossChecks {
    /// Warns about each entry of `authorization_servers` that no resource trusts.
    ///
    /// If a resource lists a similar issuer that has no entry, the list is probably mistyped, and the warning is
    /// there.
    func checkSpelling(_ entries: [AuthorizationServerSettings], listed: [ListedIssuer]) {
        let used = Set(listed.map { ExactText($0.issuer) })
        let unused = entries.filter { !$0.issuer.isEmpty && !used.contains(ExactText($0.issuer)) }
        guard !unused.isEmpty else { return }
        let known = Set(entries.map { ExactText($0.issuer) })
        let withoutEntry = listed.filter { !known.contains(ExactText($0.issuer)) }
            .prefix(Self.maxComparedIssuerCount)
        for entry in unused {
            let place = JSONPath(text: entry.path)["issuer"]
            let similar = withoutEntry.first { other in
                Spelling.areSimilar(Array(entry.issuer.utf8), Array(other.issuer.utf8))
            }
            guard let similar else {
                findings.warning(
                    place,
                    "is trusted by no resource; list it in the authorization_servers of a resource's metadata or in "
                        + "trusted_issuers, or remove this entry")
                continue
            }
            findings.warning(
                similar.place,
                "\"\(TerminalText.printable(similar.issuer))\" has no entry, but \(place.text) is "
                    + "\"\(TerminalText.printable(entry.issuer))\"; one of them is probably mistyped")
        }
    }

    /// The maximum number of listed issuers without an entry that an unused entry is compared with.
    private static let maxComparedIssuerCount = 64
}
