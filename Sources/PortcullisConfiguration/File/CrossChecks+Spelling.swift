// SPDX-License-Identifier: MIT

extension CrossChecks {
    /// Warns about each entry of `authorization_servers` that no resource trusts.
    ///
    /// If a resource lists a similar issuer that has no entry, the list is probably mistyped, and the warning is
    /// there.
    func checkSpelling(_ entries: [AuthorizationServerSettings], listed: [(issuer: String, path: String)]) {
        for entry in entries
        where !entry.issuer.isEmpty && !listed.contains(where: { Self.equal($0.issuer, entry.issuer) }) {
            let place = JSONPath(text: entry.path)["issuer"]
            let similar = listed.first { other in
                !entries.contains { Self.equal($0.issuer, other.issuer) }
                    && Spelling.areSimilar(Array(entry.issuer.utf8), Array(other.issuer.utf8))
            }
            guard let similar else {
                findings.warning(place, "is trusted by no resource")
                continue
            }
            findings.warning(
                JSONPath(text: similar.path),
                "\"\(TerminalText.printable(similar.issuer))\" has no entry, but \(place.text) is "
                    + "\"\(TerminalText.printable(entry.issuer))\"; one of them is probably mistyped")
        }
    }

    private static func equal(_ first: String, _ second: String) -> Bool {
        first.utf8.elementsEqual(second.utf8)
    }
}
