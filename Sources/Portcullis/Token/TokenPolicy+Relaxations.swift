// SPDX-License-Identifier: MIT

import PortcullisJOSE

// Settings that accept more than the defaults. Each is said at start, with its consequence.

extension TokenPolicy {
    /// The settings that accept more than their defaults, by their names within `tokens`.
    package func relaxations(for resource: ResourceIdentifier) -> [Relaxation] {
        var relaxations: [Relaxation] = []
        func add(_ holds: Bool, _ name: String, _ sentence: String) {
            if holds { relaxations.append(Relaxation(name: name, sentence: sentence)) }
        }
        let untyped = acceptedTypes.contains { ["", "jwt"].contains(MediaType.normalized($0)) }
        add(
            untyped, "types",
            "Tokens are accepted that do not say that they are access tokens: only their audience and claims "
                + "keep other JWTs of the issuer out (RFC 8725 §3.11).")
        add(
            algorithms != TokenPolicy.default.algorithms && algorithms.contains(where: \.isPolymorphic),
            "algorithms", Relaxation.polymorphicConsequence)
        let optional = TokenPolicy.default.requiredClaims.filter { !requiredClaims.contains($0) }
        add(
            !optional.isEmpty, "required_claims",
            "Tokens without \(optional.joined(separator: ", ")) are accepted (RFC 9068 §2.2).")
        let foreign = (audiences ?? []).contains { audience in
            !resource.audiences.contains { $0.utf8.elementsEqual(audience.utf8) }
        }
        add(
            foreign, "audiences",
            "Tokens for another audience than the resource are accepted: a token that a client gave to another "
                + "API of that name opens this one (RFC 8707 §2).")
        add(
            leeway > TokenPolicy.default.leeway, "leeway_seconds",
            "Tokens are accepted for \(leeway.components.seconds) s after they have expired (RFC 7519 "
                + "§4.1.4).")
        let roles = scopeClaims.filter { !Relaxation.claimsOfGrantedScopes.contains($0) }
        add(!roles.isEmpty, "scope_claims", Relaxation.rolesConsequence(roles))
        add(
            introspectionAudience == .optional, "introspection_audience",
            "Introspection answers without aud are accepted: a token for any API of the server opens this one "
                + "(RFC 7662 §4).")
        return relaxations
    }
}
