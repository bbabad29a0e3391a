// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// Parameters that a resource adds to every challenge: a realm and extra ones.
///
/// RFC 9110 §11.2, RFC 9728 §5.4.
package struct ChallengeParameters: Sendable, Hashable {
    package let realm: String?
    package let extra: [Challenge.Parameter]

    /// None.
    package static let none = ChallengeParameters(realm: nil, extra: [])

    private init(realm: String?, extra: [Challenge.Parameter]) {
        self.realm = realm
        self.extra = extra
    }

    /// Validates the configured names and values, and appends a problem for each invalid one.
    package init(_ parameters: [(name: String, value: String)], at path: String, problems: inout [Problem]) {
        var realm: String?
        var extra: [Challenge.Parameter] = []
        var names: Set<String> = []
        for (name, value) in parameters {
            let lowercased = ASCII.lowercased(name)
            let found =
                Self.problem(lowercased, value) ?? (names.insert(lowercased).inserted ? nil : Self.repeated)
            if let found {
                problems.append(Problem(path: "\(path).\(name)", found))
            } else if lowercased == "realm" {
                realm = value
            } else {
                extra.append(.init(name: name, value: value))
            }
        }
        self.init(realm: realm, extra: extra)
    }

    package typealias Problem = ConfigurationError.Problem

    private static let repeated =
        "This parameter is given more than once; names are case-insensitive."

    private static func problem(_ name: String, _ value: String) -> String? {
        guard !name.isEmpty, name.utf8.allSatisfy(CharacterClass.isTokenCharacter) else {
            return "The name of a challenge parameter must be a token (RFC 9110 §11.2)."
        }
        if reserved.contains(name) {
            return "This parameter is set by the resource; choose another name."
        }
        // Clients search the header with patterns that have no word boundary: x_scope="a" would match scope.
        if ["scope", "error", "resource_metadata"].contains(where: name.hasSuffix) {
            return
                "The name must not end in scope, error or resource_metadata: clients would take it for those."
        }
        guard Challenge.isQuotable(value) else {
            return "The value must be printable ASCII without quote and backslash, and not empty."
        }
        if value.utf8.contains(0x2C) {
            return "The value must not contain a comma, since clients split the header there."
        }
        if misleading.contains(where: { value.utf8.containsSequence($0.utf8) }) {
            return
                "The value must not contain scope=, error= or resource_metadata=: clients search for those."
        }
        return nil
    }

    private static let misleading = ["scope=", "error=", "resource_metadata="]
    private static let reserved: Set<String> = [
        "algs", "resource_metadata", "scope", "acr_values", "max_age", "error", "error_description",
        "error_uri", "nonce",
    ]
}

extension Collection where Element: Equatable {
    /// Whether `needle` occurs as a contiguous subsequence.
    package func containsSequence(_ needle: some Collection<Element>) -> Bool {
        guard let first = needle.first else { return true }
        var rest = self[...]
        while let next = rest.firstIndex(of: first) {
            rest = rest[next...]
            if rest.starts(with: needle) { return true }
            rest = rest.dropFirst()
        }
        return false
    }
}
