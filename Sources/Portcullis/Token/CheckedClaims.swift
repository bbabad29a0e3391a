// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// The validated claims of a token.
///
/// RFC 9068 §2.2, §4, RFC 7662 §2.2.
struct CheckedClaims {
    let json: JSONObject
    let subject: String?
    let clientID: String?
    let scopes: [Scope]
    let granted: GrantedScopes
    let audience: [String]
    let expiresAt: NumericDate?
    let notBefore: NumericDate?
    let confirmation: Confirmation
}

/// Checks claims against the policy of a resource.
struct ClaimsChecker: Sendable {
    private let leeway: Double
    private let audiences: [String]
    private let requiredClaims: [String]
    private let scopeClaims: [String]
    private let implications: [Scope: Set<Scope>]
    private let introspectionAudience: TokenPolicy.IntrospectionAudience

    init(_ policy: TokenPolicy, resource: ResourceIdentifier) {
        let (seconds, attoseconds) = policy.leeway.components
        leeway = Double(seconds) + Double(attoseconds) * 1e-18
        audiences = policy.audiences ?? resource.audiences
        requiredClaims = policy.requiredClaims
        scopeClaims = policy.scopeClaims
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

    /// Returns the audience, after checking that it contains this resource.
    ///
    /// An introspection answer may omit it if the policy allows that. RFC 9068 §4, RFC 7662 §2.2.
    func audience(of claims: ClaimsSet, isIntrospected: Bool) throws(RefusalReason) -> [String] {
        let audience = try audience(of: claims)
        if audience == nil, isIntrospected, introspectionAudience != .required { return [] }
        try checkAudience(audience ?? [])
        return audience ?? []
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
        of claims: ClaimsSet, isIntrospected: Bool, audience: [String], expiresAt: NumericDate?,
        notBefore: NumericDate?
    ) throws(RefusalReason) -> CheckedClaims {
        if !isIntrospected {
            for name in requiredClaims where claims.json[name] == nil { throw .missingClaim }
        }
        let checked = try collect(
            claims, audience, expiresAt: expiresAt, notBefore: notBefore,
            scopes: scopes(of: claims, in: isIntrospected ? ["scope"] : scopeClaims))
        if isIntrospected, try isDPoP(claims), checked.confirmation.keyThumbprint == nil {
            throw .unprovenPossession
        }
        return checked
    }

    /// Collects the claims of a refused token, if they have the right types.
    func unchecked(_ claims: ClaimsSet, isIntrospected: Bool) throws(RefusalReason) -> CheckedClaims {
        try collect(
            claims, audience(of: claims) ?? [], expiresAt: date("exp", of: claims),
            notBefore: date("nbf", of: claims),
            scopes: scopes(of: claims, in: isIntrospected ? ["scope"] : scopeClaims))
    }

    /// Checks the introspection answer for a JWT that was verified here: no member may contradict the token.
    ///
    /// The token's own claims are signed, so the answer may omit any of them. RFC 7662 §2.2, §4.
    func checkConfirmation(_ claims: ClaimsSet, at now: NumericDate) throws(RefusalReason) {
        if let audience = try audience(of: claims) { try checkAudience(audience) }
        _ = try checkTimes(claims, expiry: date("exp", of: claims), at: now)
        _ = try isDPoP(claims)
    }

    // RFC 7662 §2.2: only access tokens are accepted; one of type DPoP must have its key.
    private func isDPoP(_ claims: ClaimsSet) throws(RefusalReason) -> Bool {
        guard let type = try string("token_type", of: claims), !ASCII.equalIgnoringCase(type, "Bearer") else {
            return false
        }
        guard ASCII.equalIgnoringCase(type, "DPoP") else { throw .unsupportedTokenType }
        return true
    }

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
        _ claims: ClaimsSet, _ audience: [String], expiresAt: NumericDate?, notBefore: NumericDate?,
        scopes: [Scope]
    ) throws(RefusalReason) -> CheckedClaims {
        let confirmation = try Confirmation(claims.json["cnf"])
        try reading { () throws(JOSEError) in try claims.checkString("jti") }
        return CheckedClaims(
            json: claims.json,
            subject: try string("sub", of: claims),
            clientID: try string("client_id", of: claims),
            scopes: scopes,
            granted: GrantedScopes(scopes, implying: implications),
            audience: audience,
            expiresAt: expiresAt,
            notBefore: notBefore,
            confirmation: confirmation)
    }

    // The first claim present counts; claims are never merged.
    private func scopes(of claims: ClaimsSet, in names: [String]) throws(RefusalReason) -> [Scope] {
        for name in names {
            guard let value = claims.json[name] else { continue }
            if let text = value.string {
                guard let scopes = Scope.list(text) else { throw .malformedClaims }
                return scopes
            }
            // RFC 9068 §2.2.3 has a string under "scope"; servers put arrays under other names.
            guard !name.utf8.elementsEqual("scope".utf8), let texts = value.strings else {
                throw .malformedClaims
            }
            let scopes = texts.compactMap(Scope.init(token:))
            guard scopes.count == texts.count else { throw .malformedClaims }
            return scopes
        }
        return []
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
