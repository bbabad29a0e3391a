// SPDX-License-Identifier: MIT

import PortcullisHTTP

extension ProtectedResource.Configuration {
    /// What is wrong with the trusted issuers, alone and together.
    func issuerProblems() -> [Problem] {
        let place = "\(path).trusted_issuers"
        var problems: [Problem] = []
        if issuers.isEmpty {
            problems.append(.init(path: place, "A resource trusts at least one issuer."))
        }
        for (index, issuer) in issuers.enumerated() {
            problems += Self.problems(of: issuer, at: "\(place)[\(index)]")
            if issuers[..<index].contains(where: { Self.areSame($0.issuer, issuer.issuer) }) {
                problems.append(.init(path: "\(place)[\(index)]", "The same issuer stands here twice."))
            }
        }
        // An opaque token names no issuer, so nothing could choose between two of them.
        if issuers.filter({ $0.introspection != nil }).count > 1 {
            problems.append(.init(path: place, "At most one issuer of a resource introspects."))
        }
        return problems + formatProblems() + listProblems()
    }

    static func areSame(_ first: String, _ second: String) -> Bool {
        first.utf8.elementsEqual(second.utf8)
    }

    private static func problems(of issuer: TrustedIssuer, at place: String) -> [Problem] {
        var problems: [Problem] = []
        func check(_ holds: Bool, _ name: String, _ message: String) {
            if !holds { problems.append(.init(path: "\(place).\(name)", message)) }
        }
        let isFetchable = { (url: String) in
            IssuerURL.isFetchable(url, allowingInsecureLoopback: issuer.allowsInsecureLoopback)
        }
        if let sentence = IssuerURL.objection(to: issuer.issuer) {
            check(false, "issuer", sentence)
        } else {
            check(
                isFetchable(issuer.issuer), "issuer",
                "An issuer is an https URL; http is accepted for loopback addresses only, and has to be allowed."
            )
        }
        check(
            issuer.keys != nil || issuer.introspection != nil, "keys",
            "An issuer has keys, introspection, or both.")
        if case .remote(let url)? = issuer.keys {
            check(isFetchable(url), "jwks_uri", "The keys of an issuer are at an https URL (RFC 8414 §2).")
        }
        if let introspection = issuer.introspection {
            check(
                introspection.endpoint.map(isFetchable) ?? true, "introspection.endpoint",
                "An introspection endpoint is an https URL (RFC 7662 §4).")
            if let (name, sentence) = introspection.authentication.objection {
                check(false, "introspection.\(name)", sentence)
            }
            check(
                !introspection.authentication.usesCertificate || introspection.fetcher != nil
                    || issuer.fetcher != nil, "introspection.client_certificate",
                "To prove who asks by a certificate takes a fetcher that presents it (RFC 8705 §2).")
            check(
                introspection.signedResponseAudience == nil || issuer.keys != nil,
                "introspection.signed_response",
                "Signed answers are verified with the issuer's keys, so it has some (RFC 9701 §5).")
            check(
                introspection.maxConcurrentCallCount > 0, "introspection",
                "At least one call may be under way.")
            check(
                introspection.activeLifetime ?? .zero >= .zero, "introspection",
                "A lifetime is 0 or more seconds.")
        }
        check(issuer.timeout > .zero, "timeout_seconds", "This is more than 0 seconds.")
        check(issuer.maxResponseByteCount > 0, "max_response_bytes", "This is more than 0 bytes.")
        check(issuer.keyFreshness > .zero, "jwks_refresh_seconds", "This is more than 0 seconds.")
        check(issuer.keyCooldown > .zero, "jwks_cooldown_seconds", "This is more than 0 seconds.")
        check(issuer.keyStaleness >= .zero, "jwks_stale_seconds", "This is 0 or more seconds.")
        return problems
    }

    private func formatProblems() -> [Problem] {
        let place = "\(path).tokens.format"
        let introspects = issuers.contains { $0.introspection != nil }
        let hasKeys = issuers.contains { $0.keys != nil }
        switch tokens.format {
        case .jwt? where !hasKeys: return [.init(path: place, "To check JWTs, an issuer has keys.")]
        case .opaque? where !introspects, .any? where !introspects && !hasKeys:
            return [.init(path: place, "To take opaque tokens, an issuer introspects.")]
        default: return []
        }
    }

    // A listed server that is not trusted would send clients to fetch tokens that are then refused.
    private func listProblems() -> [Problem] {
        metadata.authorizationServers.enumerated().compactMap { index, listed in
            issuers.contains { Self.areSame($0.issuer, listed) }
                ? nil
                : Problem(
                    path: "\(path).metadata.authorization_servers[\(index)]",
                    "This server is listed but not trusted, so its tokens would be refused.")
        }
    }
}
