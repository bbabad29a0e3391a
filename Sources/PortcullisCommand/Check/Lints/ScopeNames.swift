// SPDX-License-Identifier: MIT

import Portcullis

/// Looks at the names of scopes.
enum ScopeNames {
    private static let broad = ["admin", "full", "all", "root", "full_access", "full-access", "fullaccess"]

    /// Whether a scope by its name permits everything.
    static func isBroad(_ name: String) -> Bool {
        name.utf8.last == 0x2A || broad.contains(ASCII.lowercased(name))
    }

    /// The warnings about the names of a document.
    static func findings(_ names: [String]) -> [Finding] {
        var findings: [Finding] = []
        let wide = names.filter(isBroad)
        if !wide.isEmpty {
            findings.append(
                Finding(
                    .warn, "metadata.scope-names",
                    "Clients request all scopes, and some permit everything: "
                        + Exchange.shown(wide.joined(separator: " ")), about: "broad"))
        }
        let blank = names.filter { $0.utf8.contains(0x20) || $0.isEmpty }
        if !blank.isEmpty {
            findings.append(
                Finding(
                    .warn, "metadata.scope-names",
                    "A scope with a blank is several scopes in a request: "
                        + Exchange.shown(blank.joined(separator: ", ")), about: "blank"))
        }
        return findings
    }
}
