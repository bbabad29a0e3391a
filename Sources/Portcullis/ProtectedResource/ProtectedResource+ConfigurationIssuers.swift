// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

extension ProtectedResource.Configuration {
    /// The problems of the trusted issuers, one by one and as a set.
    func issuerProblems() -> [Problem] {
        if !issuerTraits.hasPatterns, connectionPool.connections(to: issuerTraits.names) != nil {
            return formatProblems() + listProblems()
        }
        let place = "\(path).trusted_issuers"
        var problems: [Problem] = []
        if issuers.isEmpty {
            problems.append(.init(path: place, "Trust at least one issuer."))
        }
        let most = ProtectedResourceMetadata.maxAuthorizationServerCount
        if issuers.count > most {
            problems.append(
                .init(
                    path: place,
                    "Trust at most \(most) issuers, the maximum number of a resource; here are "
                        + "\(issuers.count)."))
        }
        var seen: Set<ExactText> = []
        for (index, issuer) in issuers.enumerated() {
            if !connectionPool.hasConnection(to: issuer.issuer) {
                problems += Self.problems(of: issuer, at: "\(place)[\(index)]")
            }
            if !seen.insert(ExactText(issuer.issuer)).inserted {
                problems.append(.init(path: "\(place)[\(index)]", "This issuer is listed more than once."))
            }
        }
        // An opaque token names no issuer, so it can't select one of two introspecting issuers.
        if issuers.filter({ $0.introspection != nil }).count > 1 {
            problems.append(.init(path: place, "At most one issuer of a resource may have introspection."))
        }
        return problems + formatProblems() + listProblems()
    }

    private static func problems(of issuer: TrustedIssuer, at place: String) -> [Problem] {
        var problems: [Problem] = []
        func check(_ holds: Bool, _ name: String, _ message: String) {
            if !holds { problems.append(.init(path: "\(place).\(name)", message)) }
        }
        let isFetchable = { (url: String) in
            IssuerURL.isFetchable(url, allowingInsecureLoopback: issuer.allowsInsecureLoopback)
        }
        let isPattern = IssuerPattern.isPattern(issuer.issuer)
        let objection =
            isPattern
            ? IssuerPattern.objection(to: issuer.issuer) : IssuerURL.objection(to: issuer.issuer)
        if let objection {
            check(false, "issuer", objection)
        } else {
            check(
                isFetchable(issuer.pattern?.issuer(of: "x") ?? issuer.issuer), "issuer",
                "An issuer is an https URL; http needs a loopback address and explicit permission."
            )
        }
        check(
            issuer.keys != nil || issuer.introspection != nil, "keys",
            "Give the issuer keys, introspection, or both.")
        if case .remote(let url)? = issuer.keys {
            check(isFetchable(url), "jwks_uri", "The URL of an issuer's keys must be https (RFC 8414 §2).")
        }
        check(
            issuer.algorithms?.isEmpty != true, "algorithms", "Accept at least one signature algorithm.")
        check(
            isPattern || issuer.tenants == nil, "tenants",
            "Only an issuer with a variable, such as {tenant}, has tenants.")
        check(
            issuer.tenants?.isEmpty != true, "tenants", "List at least one tenant, or none of them: nil.")
        check(
            issuer.tenants?.allSatisfy { IssuerPattern.isValue($0.utf8) } ?? true, "tenants",
            "A tenant is 1 to 64 letters, digits, dots, underscores and hyphens, and no dot segment.")
        check(issuer.maxTenantCount >= 1, "max_tenants", "The value must be 1 or more.")
        check(
            !isPattern || issuer.introspection == nil, "introspection",
            "An opaque token names no tenant: give the pattern keys only.")
        if let introspection = issuer.introspection {
            check(
                introspection.endpoint.map(isFetchable) ?? true, "introspection.endpoint",
                "The URL of an introspection endpoint must be https (RFC 7662 §4).")
            if let (name, sentence) = introspection.authentication.objection {
                check(false, "introspection.\(name)", sentence)
            }
            check(
                !introspection.authentication.usesCertificate || introspection.fetcher != nil
                    || issuer.fetcher != nil, "introspection.client_certificate",
                "Authentication by certificate needs a fetcher that presents one (RFC 8705 §2).")
            check(
                introspection.signedResponseAudience == nil || issuer.keys != nil,
                "introspection.signed_response",
                "Signed responses are verified with the issuer's keys: give it keys (RFC 9701 §5).")
            check(
                introspection.maxConcurrentCallCount > 0, "introspection",
                "The number of concurrent calls must be 1 or more.")
            check(
                introspection.activeLifetime ?? .zero >= .zero, "introspection",
                "The lifetime must be 0 seconds or more.")
        }
        problems += claimProblems(of: issuer, at: place)
        for (name, sentence) in issuer.statusLists.objections(
            allowingInsecureLoopback: issuer.allowsInsecureLoopback)
        {
            check(false, "status_list.\(name)", sentence)
        }
        check(issuer.timeout > .zero, "timeout_seconds", "The value must be more than 0 seconds.")
        check(issuer.maxResponseByteCount > 0, "max_response_bytes", "The value must be more than 0 bytes.")
        check(issuer.keyFreshness > .zero, "jwks_refresh_seconds", "The value must be more than 0 seconds.")
        check(issuer.keyCooldown > .zero, "jwks_cooldown_seconds", "The value must be more than 0 seconds.")
        check(issuer.keyStaleness >= .zero, "jwks_stale_seconds", "The value must be 0 seconds or more.")
        return problems
    }

    private static func claimProblems(of issuer: TrustedIssuer, at place: String) -> [Problem] {
        var problems: [Problem] = []
        let count = 1...ClaimMapping.maximumPointerCount
        for (name, pointers) in [("client_id", issuer.claims.clientID), ("scopes", issuer.claims.scopes)] {
            guard let pointers, !count.contains(pointers.count) else { continue }
            problems.append(
                .init(path: "\(place).claims.\(name)", "Name from 1 to \(count.upperBound) places."))
        }
        if issuer.requiredClaimValues.count > count.upperBound {
            problems.append(
                .init(
                    path: "\(place).required_claim_values", "Require at most \(count.upperBound) claims."))
        }
        for sentence in issuer.requiredClaimValues.compactMap(\.objection) {
            problems.append(.init(path: "\(place).required_claim_values", sentence))
        }
        guard let source = issuer.audienceSource else { return problems }
        if let sentence = source.objection {
            problems.append(.init(path: "\(place).audience_from", sentence))
        }
        if issuer.requiredClaimValues.isEmpty {
            problems.append(
                .init(
                    path: "\(place).audience_from",
                    "Without aud, a required claim value must tell access tokens from other JWTs (RFC 8725 "
                        + "§3.12)."))
        }
        return problems
    }

    private func formatProblems() -> [Problem] {
        let place = "\(path).tokens.format"
        let traits = issuerTraits
        switch tokens.format {
        case .jwt? where !traits.haveKeys:
            return [
                .init(path: place, "JWTs are verified with an issuer's keys: give at least one issuer keys.")
            ]
        case .opaque? where !traits.introspect, .any? where !traits.introspect && !traits.haveKeys:
            return [.init(path: place, "Opaque tokens need introspection: give one issuer introspection.")]
        default: return []
        }
    }

    // A listed server that is not trusted would issue tokens that this resource then refuses.
    private func listProblems() -> [Problem] {
        let (names, hasPatterns) = (issuerTraits.names, issuerTraits.hasPatterns)
        if names == metadata.authorizationServers.map(ExactText.init) { return [] }
        let trusted = Set(names)
        return metadata.authorizationServers.enumerated().compactMap { index, listed in
            trusted.contains(ExactText(listed)) || hasPatterns && issuers.contains { $0.covers(listed) }
                ? nil
                : Problem(
                    path: "\(path).metadata.authorization_servers[\(index)]",
                    "This server is listed but not trusted: trust it, or remove it here.")
        }
    }
}
