// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// Checks claims against the policy of a resource.
struct ClaimsChecker: Sendable {
    private let leeway: Double
    private let audiences: [String]
    let requiredClaims: [String]
    let scopeClaims: [String]
    /// The same for introspection answers, in which `scope` comes last.
    let introspectedScopeClaims: [String]
    private let implications: [Scope: Set<Scope>]
    private let introspectionAudience: TokenPolicy.IntrospectionAudience

    init(_ policy: TokenPolicy, resource: ResourceIdentifier) {
        let (seconds, attoseconds) = policy.leeway.components
        leeway = Double(seconds) + Double(attoseconds) * 1e-18
        audiences = policy.audiences ?? resource.audiences
        requiredClaims = policy.requiredClaims
        scopeClaims = policy.scopeClaims
        // RFC 7662 §2.2: whatever tokens have, an answer may have the scopes in its own member.
        let namesScope = policy.scopeClaims.contains { CodePoints.equal($0, "scope") }
        introspectedScopeClaims = policy.scopeClaims + (namesScope ? [] : ["scope"])
        implications = policy.closedImplications()
        introspectionAudience = policy.introspectionAudience
    }

    /// The first moment at which a token with this `exp` is refused.
    func end(of expiry: NumericDate?) -> Double {
        expiry.map { $0.seconds + leeway } ?? .infinity
    }

    /// The first moment at which a token with this `nbf` or `iat` is accepted.
    func start(of notBefore: NumericDate?) -> Double {
        notBefore.map { $0.seconds - leeway } ?? -.infinity
    }

    /// Refuses the JWT if it has the claims of an ID token.
    ///
    /// An ID token tells a client who logged in, and grants nothing. RFC 9068 §5, RFC 8725 §3.12.
    func checkKind(of claims: ClaimsSet) throws(RefusalReason) {
        // OpenID Connect Core §3.1.3.6, §3.3.2.11: hashes of what was issued with the ID token.
        guard !claims.json.hasValue("at_hash"), !claims.json.hasValue("c_hash") else { throw .idToken }
        guard claims.json.hasValue("token_use") else { return }
        if Self.idTokenUse.isMet(by: claims.json) { throw .idToken }
    }

    private static let idTokenUse = ClaimValues("/token_use", ["id"])

    /// Checks the claims that the issuer's settings restrict to some values.
    ///
    /// RFC 8725 §3.12.
    func checkValues(of claims: ClaimsSet, _ rules: ClaimRules) throws(RefusalReason) {
        for values in rules.required where !values.isMet(by: claims.json) { throw .claimValueMismatch }
    }

    /// Returns the audience, after checking that it contains this resource.
    ///
    /// Without `aud`, another claim may take its place if the issuer's settings say so, and an introspection
    /// answer may omit it if the policy allows that. RFC 9068 §4, RFC 7662 §2.2.
    func audience(
        of claims: ClaimsSet, isIntrospected: Bool, rules: ClaimRules?
    ) throws(RefusalReason) -> [String] {
        if let audience = try audience(of: claims) {
            try checkAudience(audience)
            return audience
        }
        if let source = rules?.audienceSource {
            guard source.isMet(by: claims.json) else { throw .audienceMismatch }
            return []
        }
        guard isIntrospected, introspectionAudience != .required else { throw .audienceMismatch }
        return []
    }

    /// Returns `exp` and `nbf`, after checking all times; both may be absent in an introspection answer.
    ///
    /// RFC 9068 §4, RFC 7519 §4.1.4-§4.1.6.
    func times(
        of claims: ClaimsSet, isIntrospected: Bool, at now: NumericDate
    ) throws(RefusalReason) -> (expiresAt: NumericDate?, notBefore: NumericDate?) {
        let expiry = try date("exp", of: claims)
        // RFC 9068 §4: exp is required.
        guard expiry != nil || isIntrospected else { throw .missingClaim }
        return (expiry, try checkTimes(claims, expiry: expiry, at: now))
    }

    /// Checks the remaining claims of a token whose audience and times are valid.
    ///
    /// RFC 9068 §2.2, RFC 7662 §2.2.
    func claims(
        of claims: ClaimsSet, isIntrospected: Bool, rules: ClaimRules?, audience: [String],
        expiresAt: NumericDate?, notBefore: NumericDate?
    ) throws(RefusalReason) -> CheckedClaims {
        if !isIntrospected {
            for name in requiredClaims where isMissing(name, in: claims.json, rules) { throw .missingClaim }
        }
        let checked = try collect(
            claims, isIntrospected: isIntrospected, rules, audience, expiresAt: expiresAt,
            notBefore: notBefore)
        if isIntrospected, try isDPoP(claims), checked.confirmation.keyThumbprint == nil {
            throw .unprovenPossession
        }
        return checked
    }

    /// Collects the claims of a refused token, if they have the right types.
    func unchecked(
        _ claims: ClaimsSet, isIntrospected: Bool, rules: ClaimRules?
    ) throws(RefusalReason) -> CheckedClaims {
        try collect(
            claims, isIntrospected: isIntrospected, rules, audience(of: claims) ?? [],
            expiresAt: date("exp", of: claims), notBefore: date("nbf", of: claims))
    }

    /// Checks the introspection answer for a JWT that was verified here: no member may contradict the token.
    ///
    /// The token's own claims are signed, so the answer may omit any of them. RFC 7662 §2.2, §4.
    func checkConfirmation(_ claims: ClaimsSet, at now: NumericDate) throws(RefusalReason) {
        if let audience = try audience(of: claims) { try checkAudience(audience) }
        _ = try checkTimes(claims, expiry: date("exp", of: claims), at: now)
        _ = try isDPoP(claims)
    }

    // RFC 7662 §2.2: only a type that contradicts the use as an access token is refused, since servers write
    // many; one of type DPoP must have its key.
    private func isDPoP(_ claims: ClaimsSet) throws(RefusalReason) -> Bool {
        guard let type = try string("token_type", of: claims), !ASCII.equalIgnoringCase(type, "Bearer") else {
            return false
        }
        guard !Self.otherTokens.contains(where: { ASCII.equalIgnoringCase(type, $0) }) else {
            throw .unsupportedTokenType
        }
        return ASCII.equalIgnoringCase(type, "DPoP")
    }

    /// The types of other tokens than access tokens.
    ///
    /// RFC 7009 §4.1.2, RFC 8693 §3.
    private static let otherTokens = [
        "refresh_token", "id_token", "urn:ietf:params:oauth:token-type:refresh_token",
        "urn:ietf:params:oauth:token-type:id_token",
    ]

    // RFC 7519 §4.1.3: compared exactly, code point by code point.
    private func checkAudience(_ audience: [String]) throws(RefusalReason) {
        let isMeant = audience.contains { named in audiences.contains { CodePoints.equal($0, named) } }
        guard isMeant else { throw .audienceMismatch }
    }

    /// - Returns: `nbf`, if there is one.
    // RFC 7519 §4.1.4-§4.1.6: one leeway for all three.
    private func checkTimes(_ claims: ClaimsSet, expiry: NumericDate?, at now: NumericDate)
        throws(RefusalReason) -> NumericDate?
    {
        guard now.seconds < end(of: expiry) else { throw .expired }
        let notBefore = try date("nbf", of: claims)
        guard now.seconds >= start(of: notBefore) else { throw .notYetValid }
        guard now.seconds >= start(of: try date("iat", of: claims)) else { throw .issuedInTheFuture }
        return notBefore
    }

    private func collect(
        _ claims: ClaimsSet, isIntrospected: Bool, _ rules: ClaimRules?, _ audience: [String],
        expiresAt: NumericDate?, notBefore: NumericDate?
    ) throws(RefusalReason) -> CheckedClaims {
        let scopes = try scopes(of: claims.json, isIntrospected: isIntrospected, rules)
        let confirmation = try Confirmation(claims.json["cnf"])
        try reading { () throws(JOSEError) in try claims.checkString("jti") }
        try TokenActor.check(claims.json["act"])
        return CheckedClaims(
            json: claims.json,
            subject: try string("sub", of: claims),
            clientID: try clientID(of: claims.json, rules),
            scopes: scopes,
            granted: GrantedScopes(scopes, implying: implications),
            audience: audience,
            expiresAt: expiresAt,
            notBefore: notBefore,
            confirmation: confirmation)
    }

    // RFC 7519 §4.1.3: one value or several.
    private func audience(of claims: ClaimsSet) throws(RefusalReason) -> [String]? {
        try reading { () throws(JOSEError) in try claims.stringOrStrings("aud") }
    }

    private func string(_ name: String, of claims: ClaimsSet) throws(RefusalReason) -> String? {
        try reading { () throws(JOSEError) in try claims.string(name) }
    }

    private func date(_ name: String, of claims: ClaimsSet) throws(RefusalReason) -> NumericDate? {
        try reading { () throws(JOSEError) in try claims.numericDate(name) }
    }

    private func reading<Value>(_ read: () throws(JOSEError) -> Value) throws(RefusalReason) -> Value {
        do throws(JOSEError) {
            return try read()
        } catch {
            throw .malformedClaims
        }
    }
}

// A check throws the reason itself; `Admission.refuse` turns it into a refusal.
extension RefusalReason: Error {}
