// SPDX-License-Identifier: MIT

import PortcullisJOSE

extension Diagnosis {
    /// The claims in which servers put scopes or what stands for them, after `scope`.
    static let scopeClaims = ["scope", "scp", "scopes", "permissions", "roles"]

    /// The places of the token that may have its scopes.
    private var scopePlaces: [[String]] {
        Self.scopeClaims.map { [$0] } + [["realm_access", "roles"]]
            + clients.map { ["resource_access", $0, "roles"] }
    }

    /// The first place of the token whose scopes are enough for the route, or `nil`.
    var satisfyingScopes: [String]? {
        scopePlaces.first { place in
            guard let scopes = scopes(at: place), !scopes.isEmpty else { return false }
            let granted = GrantedScopes(scopes, implying: rules.tokens.closedImplications())
            return rules.requirement.scopes.isSatisfied(by: granted)
        }
    }

    private func scopes(at place: [String]) -> [Scope]? {
        guard let value = value(place) else { return nil }
        if let text = value.string { return Scope.list(text) }
        return value.strings.map { $0.compactMap(Scope.init(token:)) }
    }

    // RFC 6750 §3.1.
    var scopes: Repair {
        guard let place = satisfyingScopes else {
            let needed = rules.requirement.scopeWords
            return .unsound(
                "No claim of the token has the scopes that the route needs, \(FindingWords.printable(needed)): the "
                    + "client asks for them, and the issuer has to grant them (RFC 6750 §3.1).")
        }
        let pointer = ClaimPointer.text(place)
        if let pointers = rules.issuer(named: issuerName)?.scopePointers {
            return .settings([.scopePointers(inserted(pointer, into: pointers), issuer: issuerName)])
        }
        if place.count == 1 {
            let isFirst = rules.tokens.scopeClaims.contains { value([$0]) != nil }
            let names = rules.tokens.scopeClaims.filter { $0 != place[0] }
            return .settings([.scopeClaims(isFirst ? place + names : names + place)])
        }
        let pointers = rules.tokens.scopeClaims.map { ClaimPointer.text([$0]) }
        return .settings([.scopePointers(inserted(pointer, into: pointers), issuer: issuerName)])
    }

    // The first pointer whose value is present counts, so a claim that the token has must come later.
    private func inserted(_ pointer: String, into pointers: [String]) -> [String] {
        [pointer] + pointers.filter { $0 != pointer }
    }
}

/// What other claims than the configured ones say about scopes, for findings.
enum ScopeHint {
    /// Parses the text of a finding about scopes.
    static func claims(in text: String?) -> JSONObject {
        guard let text else { return [:] }
        guard text.hasPrefix("none, but ") else { return ["scope": .string(text)] }
        let parts = text.dropFirst("none, but ".count).split(separator: " has ", maxSplits: 1)
        guard parts.count == 2 else { return [:] }
        let scopes = JSONValue.string(String(parts[1]))
        let path = parts[0].split(separator: ".")
        return path.count == 2 ? [String(path[0]): [String(path[1]): scopes]] : [String(parts[0]): scopes]
    }

    /// Describes scopes in a claim that is not read, such as `, but scp has notes:read`; empty without any.
    static func words(_ claims: JSONObject?) -> String {
        guard let claims else { return "" }
        let places =
            Diagnosis.scopeClaims.dropFirst().map { ($0, claims[$0]) }
            + [("realm_access.roles", claims["realm_access"]?.object?["roles"])]
        for (name, value) in places {
            guard let value, let names = value.string.map({ [$0] }) ?? value.strings, !names.isEmpty else {
                continue
            }
            return ", but \(name) has " + FindingWords.printable(names.joined(separator: " "))
        }
        return ""
    }
}
