// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport

/// Checks tokens that are not cached, by the rules of one resource.
///
/// ``AdmissionStep`` defines the order of the checks.
///
/// RFC 9068 §4, RFC 7662 §2, RFC 8725 §3.
struct TokenValidator: Sendable {
    let resource: ResourceIdentifier
    let rules: AccessRules
    let connections: [IssuerConnection]
    /// The trusted issuer patterns.
    let patterns: [TenantDirectory]
    let format: TokenPolicy.Format
    let checker: ClaimsChecker
    let time: TimeSource
    /// The algorithms of issuers without a list of their own.
    private let algorithms: [SignatureAlgorithm]
    /// Whether an issuer has a list of its own.
    private let hasOwnLists: Bool
    /// The algorithms of any issuer.
    private let anyAlgorithms: [SignatureAlgorithm]
    private let types: [String]
    private let maxByteCount: Int
    private let activeLifetime: Duration
    private let inactiveLifetime: Duration
    private let headers = KnownHeaders()

    init(
        _ policy: TokenPolicy, format: TokenPolicy.Format, resource: ResourceIdentifier,
        rules: AccessRules, connections: [IssuerConnection], patterns: [TenantDirectory] = [],
        time: TimeSource
    ) {
        self.resource = resource
        self.rules = rules
        self.connections = connections
        self.patterns = patterns
        self.format = format
        self.time = time
        checker = ClaimsChecker(policy, resource: resource)
        let common = policy.algorithms
        algorithms = common
        hasOwnLists =
            connections.contains { $0.algorithms != nil } || patterns.contains { $0.algorithms != nil }
        if hasOwnLists {
            let lists =
                connections.map { $0.algorithms ?? Set(common) }
                + patterns.map { Set($0.algorithms ?? common) }
            let any = lists.reduce(into: Set()) { $0.formUnion($1) }
            anyAlgorithms = SignatureAlgorithm.allCases.filter(any.contains)
        } else {
            anyAlgorithms = common
        }
        types = policy.acceptedTypes.map(MediaType.normalized)
        maxByteCount = policy.maxTokenByteCount
        activeLifetime = policy.introspectionCacheLifetime
        inactiveLifetime = policy.inactiveCacheLifetime
    }

    // MARK: JWT or introspection

    /// Whether a token is verified as a JWT rather than introspected.
    func isCheckedAsJWT(_ token: [UInt8]) -> Bool {
        isCheckedAsJWT(shaped: token.withUnsafeBytes { Token68.isShapedAsJWS($0) })
    }

    /// Whether a token is verified as a JWT rather than introspected.
    ///
    /// - Parameter isShaped: Whether the token looks like a signed JWT; evaluated only if needed.
    func isCheckedAsJWT(shaped isShaped: @autoclosure () -> Bool) -> Bool {
        switch format {
        case .opaque: false
        case .any: isShaped()
        case .jwt: true
        }
    }

    func connection(to issuer: String) -> IssuerConnection? {
        connections.first { CodePoints.equal($0.issuer, issuer) }
    }

    /// Returns the connection to the token's `iss`, or `nil` if that is not trusted.
    func connection(namedBy claims: ClaimsSet) -> IssuerConnection? {
        guard connections.count > Self.maxSearchedIssuerCount else {
            return connections.first { claims.json.holds($0.issuer, for: "iss") }
        }
        return claims.json["iss"]?.string.flatMap { connection(to: $0) }
    }

    /// Looks up the tenant that issued the token; `nil` if no pattern matches its `iss`.
    ///
    /// - Parameter begins: Whether an unknown tenant may be looked for.
    func tenant(namedBy claims: ClaimsSet, begins: Bool) -> TenantDirectory.Lookup? {
        guard !patterns.isEmpty, let issuer = claims.json["iss"]?.string else { return nil }
        let now = time.uptime()
        for pattern in patterns {
            if let found = pattern.look(up: issuer, at: now, begins: begins) { return found }
        }
        return nil
    }
    /// The maximum number of issuers for each of which `iss` is searched among the claims.
    private static let maxSearchedIssuerCount = 4

    /// The issuer that introspects tokens, or `nil`.
    var introspecting: IssuerConnection? { connections.first { $0.introspector != nil } }

    /// Returns how long an active answer of an issuer is cached.
    func lifetime(of connection: IssuerConnection) -> Duration { connection.activeLifetime ?? activeLifetime }

    /// Returns the access to the shared cache for a token, or `nil` if there is no such cache.
    func sharedAnswers(_ connection: IssuerConnection, _ digest: SHA256Digest) -> SharedAnswers? {
        SharedAnswers(
            connection, lifetime: lifetime(of: connection), inactiveLifetime: inactiveLifetime,
            digest: digest,
            time: time)
    }

    // MARK: A JWT

    func readHeader(_ token: [UInt8]) throws(RefusalReason) -> UnverifiedJWT {
        let known = headers.header(of: token)
        do throws(JOSEError) {
            let jws = try CompactJWS(token, maximumByteCount: maxByteCount, header: known)
            return UnverifiedJWT(jws: jws, hasKnownHeader: known != nil)
        } catch {
            throw .malformedJWT
        }
    }

    func readClaims(_ jws: CompactJWS) throws(RefusalReason) -> ClaimsSet {
        do throws(JOSEError) {
            return try ClaimsSet(payload: jws.payload)
        } catch {
            throw .malformedJWT
        }
    }

    func checkType(_ type: String?) throws(RefusalReason) {
        let presented = MediaType.normalized(type ?? "")
        guard types.contains(where: { $0.utf8.elementsEqual(presented.utf8) }) else {
            throw .unsupportedTokenType
        }
    }

    /// Returns the algorithm, if that of any issuer.
    func algorithm(of header: JOSEHeader?) throws(RefusalReason) -> SignatureAlgorithm {
        guard let algorithm = header?.algorithm, anyAlgorithms.contains(algorithm) else {
            throw .unsupportedAlgorithm
        }
        return algorithm
    }

    /// Checks the algorithm against the issuer's own list, once the issuer is known.
    func checkAlgorithm(
        _ algorithm: SignatureAlgorithm?, of connection: IssuerConnection
    ) throws(RefusalReason) {
        guard hasOwnLists else { return }
        guard let algorithm,
            connection.algorithms?.contains(algorithm) ?? algorithms.contains(algorithm)
        else { throw .unsupportedAlgorithm }
    }

    /// Returns the accepted algorithms of a token with these claims, for explanations.
    func acceptedAlgorithms(_ claims: JSONObject?, _ common: [SignatureAlgorithm]) -> [SignatureAlgorithm] {
        guard let issuer = claims?["iss"]?.string else { return common }
        let own =
            connection(to: issuer)?.algorithms
            ?? patterns.first { $0.pattern.value(in: issuer) != nil }?.algorithms.map { Set($0) }
        return own.map { own in SignatureAlgorithm.allCases.filter(own.contains) } ?? common
    }

    /// Verifies a signature.
    ///
    /// - Parameter remembersHeader: Whether all checks of the header have passed, so that they need not be
    ///   repeated for other tokens with the same one.
    func verify(
        _ jwt: UnverifiedJWT, with key: JWK, _ algorithm: SignatureAlgorithm, remembersHeader: Bool = true
    ) throws(RefusalReason) {
        do throws(JOSEError) {
            try jwt.jws.verify(with: key, algorithm: algorithm)
        } catch .cryptographyUnavailable {
            throw .keysUnavailable
        } catch {
            throw .invalidSignature
        }
        if !jwt.hasKnownHeader, remembersHeader { headers.insert(jwt.jws) }
    }

    // MARK: Both

    /// Checks that `iss` of an introspection answer, if present, is the issuer that was asked.
    ///
    /// RFC 7662 §2.2.
    static func checkIssuer(_ connection: IssuerConnection, in claims: ClaimsSet) throws(RefusalReason) {
        guard let named = claims.json["iss"], !named.isNull else { return }
        guard let issuer = named.string else { throw .malformedClaims }
        guard issuer.utf8.elementsEqual(connection.issuer.utf8) else { throw .unknownIssuer }
    }

    /// Makes a token from validated claims, with the conditions under which it may be cached.
    func token(
        of claims: CheckedClaims, issuedBy connection: IssuerConnection, isIntrospected: Bool,
        generation: UInt64, usableUntil: MonotonicInstant
    ) -> VerifiedToken {
        let storage = AccessToken.Storage(
            claims, format: isIntrospected ? .opaque : .jwt, issuer: connection.issuer,
            resource: resource, rules: rules,
            status: isIntrospected ? nil : connection.statusLists?.status(of: claims.json))
        return VerifiedToken(
            token: AccessToken(storage),
            terms: VerifiedToken.Terms(
                start: checker.start(of: claims.notBefore), end: checker.end(of: claims.expiresAt),
                generation: generation, usableUntil: usableUntil),
            keys: isIntrospected ? nil : connection.keys)
    }
}

/// A JWT that was taken apart.
struct UnverifiedJWT: Sendable {
    let jws: CompactJWS
    /// Whether its header was read before, and its type found good.
    let hasKnownHeader: Bool

    /// Returns the claims of an introspected token that is a JWT, which nobody has verified; else `nil`.
    ///
    /// Reason enough to refuse the token, never to accept it. RFC 9068 §5, RFC 7519 §7.2.
    static func claims(of token: [UInt8]) -> ClaimsSet? {
        let parts = token.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard parts.count == 3, let payload = Base64URL.decode(parts[1]) else { return nil }
        return try? ClaimsSet(payload: payload)
    }
}
