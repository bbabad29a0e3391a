// SPDX-License-Identifier: MIT

import PortcullisJOSE

// Settings that accept more than the defaults. Each is said at start, with its consequence.

extension TokenPolicy {
    /// A setting that accepts more than its default: its name in a configuration file, and the consequence.
    package struct Relaxation: Sendable, Hashable {
        package let name: String
        package let sentence: String
    }

    /// The settings that accept more than their defaults.
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
            introspectionAudience == .optional, "introspection_audience",
            "Introspection answers without aud are accepted: a token for any API of the server opens this one "
                + "(RFC 7662 §4).")
        return relaxations
    }
}

extension ProtectedResource.Configuration {
    /// Warnings about settings that accept more than their defaults, or that use one key for two purposes.
    func relaxationWarnings() -> [String] {
        let introspections = issuers.compactMap { issuer in
            issuer.introspection.map { (issuer: issuer.issuer, authentication: $0.authentication) }
        }
        return tokens.relaxations(for: metadata.resource).map(\.sentence)
            + introspections.compactMap { $0.authentication.audienceWarning(issuer: $0.issuer) }
            + (introspections.contains { signsMetadata(with: $0.authentication.assertionKey) }
                ? [
                    "One key signs the metadata and client assertions: use a key for each kind of JWT "
                        + "(draft-ietf-oauth-rfc8725bis §3.12)."
                ] : [])
    }

    private func signsMetadata(with key: PrivateJWK?) -> Bool {
        guard let key, let signing = publishing.signing else { return false }
        return signing.key.publicKey.thumbprint == key.publicKey.thumbprint
    }
}
