// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport

/// Decides whether a token that was not seen before is good.
///
/// Cheap checks come before dear ones.
///
/// RFC 9068 §4, RFC 7662 §2, RFC 8725 §3.
struct TokenValidator: Sendable {
    let resource: ResourceIdentifier
    let rules: AccessRules
    let connections: [IssuerConnection]
    let format: TokenPolicy.Format
    let checker: ClaimsChecker
    let time: TimeSource
    private let algorithms: Set<SignatureAlgorithm>
    private let types: [String]
    private let maxByteCount: Int
    private let activeLifetime: Duration
    private let inactiveLifetime: Duration
    private let headers = KnownHeaders()

    init(
        _ policy: TokenPolicy, format: TokenPolicy.Format, resource: ResourceIdentifier,
        rules: AccessRules, connections: [IssuerConnection], time: TimeSource
    ) {
        self.resource = resource
        self.rules = rules
        self.connections = connections
        self.format = format
        self.time = time
        checker = ClaimsChecker(policy, resource: resource)
        algorithms = Set(policy.algorithms)
        types = policy.types.map(TokenPolicy.normalisedType)
        maxByteCount = policy.maxTokenByteCount
        activeLifetime = policy.introspectionCacheLifetime
        inactiveLifetime = policy.inactiveCacheLifetime
    }

    /// Checks a token whose length and characters are those of one.
    ///
    /// How is decided by its form and its issuer; one way is never tried because the other has failed.
    ///
    /// - Parameters:
    ///   - epoch: Says which tokens have been invalidated so far; an answer from another one does not count.
    ///   - isAskedAnew: Whether an answer of the issuer counts only if it was asked for from now on. For a JWT that is verified
    ///     here there is ``confirm(_:digest:issuedBy:)``.
    ///   - notes: Takes what comes to light besides.
    func validate(
        _ token: [UInt8], digest: SHA256Digest, epoch: UInt64, anew isAskedAnew: Bool,
        _ notes: inout ValidationNotes
    ) async throws(RefusalReason) -> VerifiedToken {
        isCheckedAsJWT(token)
            ? try await validateJWT(token, digest, epoch, isAskedAnew, &notes)
            : try await introspect(token, digest, epoch, isAskedAnew, &notes)
    }

    /// Asks the issuer of a JWT that was verified here whether it is active still, whatever was said before.
    ///
    /// The token of an issuer that can't be asked is refused. RFC 7662 §2, §4.
    func confirm(
        _ token: [UInt8], digest: SHA256Digest, issuedBy issuer: String
    ) async throws(RefusalReason) {
        guard let connection = connection(to: issuer), let introspector = connection.introspector else {
            throw .unsupportedTokenFormat
        }
        let answer = try Self.answer(await introspector.newAnswer(for: token, digest: digest).outcome)
        guard case .active(let object) = answer else { throw .inactiveToken }
        let claims = ClaimsSet(object)
        try check(claims, of: connection) { () throws(RefusalReason) in
            try checker.checkConfirmation(claims, at: time.now())
        }
    }

    /// Whether a token is read here rather than introspected, by its form.
    func isCheckedAsJWT(_ token: [UInt8]) -> Bool {
        isCheckedAsJWT(shaped: token.withUnsafeBytes { Token68.isShapedAsJWS($0) })
    }

    /// Whether a token is read here rather than introspected.
    ///
    /// - Parameter isShaped: Whether it has the form of a signed JWT, if that matters.
    func isCheckedAsJWT(shaped isShaped: @autoclosure () -> Bool) -> Bool {
        switch format {
        case .opaque: false
        case .any: isShaped()
        case .jwt: true
        }
    }

    /// Checks a token that only its signature has to be checked of, with a key that is at hand.
    ///
    /// - Returns: Nothing if it has to be introspected, or its key fetched: ``validate(_:digest:epoch:anew:_:)`` can tell then.
    func validateAtOnce(_ token: [UInt8]) throws(RefusalReason) -> VerifiedToken? {
        guard isCheckedAsJWT(token) else { return nil }
        let jwt = try readJWT(token)
        guard let keys = jwt.connection.keys,
            let (key, generation) = try keys.keyAtHand(jwt.jws.header.keyID, jwt.algorithm, at: time.uptime())
        else { return nil }
        return try accept(jwt, keys, key, generation)
    }

    private func validateJWT(
        _ token: [UInt8], _ digest: SHA256Digest, _ epoch: UInt64, _ isAskedAnew: Bool,
        _ notes: inout ValidationNotes
    ) async throws(RefusalReason) -> VerifiedToken {
        let jwt = try readJWT(token)
        guard let keys = jwt.connection.keys else {
            guard format == .any else { throw .unsupportedTokenFormat }
            // The token of one issuer is never shown to another.
            guard jwt.connection.introspector != nil else { throw .unsupportedTokenFormat }
            return try await introspect(token, digest, epoch, isAskedAnew, &notes)
        }
        let (key, generation) = try await keys.key(jwt.jws.header.keyID, jwt.algorithm, at: time.uptime())
        return try accept(jwt, keys, key, generation)
    }

    /// A JWT that says of itself what is acceptable, and whose signature nobody has checked.
    private struct UnverifiedJWT {
        let jws: CompactJWS
        let algorithm: SignatureAlgorithm
        let claims: ClaimsSet
        let connection: IssuerConnection
        let hasKnownHeader: Bool
    }

    private func readJWT(_ token: [UInt8]) throws(RefusalReason) -> UnverifiedJWT {
        let known = headers.header(of: token)
        let jws = try read(token, known)
        if known == nil { try checkType(jws.header.type) }
        // RFC 8725 §3.1: what is acceptable is our list; the token only chooses from it.
        guard let algorithm = jws.header.algorithm, algorithms.contains(algorithm) else {
            throw .unsupportedAlgorithm
        }
        let claims = try readClaims(jws)
        // RFC 9068 §4: the issuer is known before any key is used and before anything is fetched.
        let connection = connections.first { claims.json.holds($0.issuer, for: "iss") }
        guard let connection else { throw .unknownIssuer }
        return UnverifiedJWT(
            jws: jws, algorithm: algorithm, claims: claims, connection: connection,
            hasKnownHeader: known != nil)
    }

    private func accept(
        _ jwt: UnverifiedJWT, _ keys: KeyStore, _ key: JWK, _ generation: UInt64
    ) throws(RefusalReason) -> VerifiedToken {
        try verify(jwt.jws, with: key, jwt.algorithm)
        if !jwt.hasKnownHeader { headers.insert(jwt.jws) }
        let checked = try checker.checkJWT(jwt.claims, at: time.now())
        return remember(
            checked, .jwt, issuer: jwt.connection.issuer, keys: keys, generation: generation,
            until: MonotonicInstant(nanoseconds: .max))
    }

    private func read(_ token: [UInt8], _ header: JOSEHeader?) throws(RefusalReason) -> CompactJWS {
        do throws(JOSEError) {
            return try CompactJWS(token, maximumByteCount: maxByteCount, header: header)
        } catch {
            throw .malformedJWT
        }
    }

    private func readClaims(_ jws: CompactJWS) throws(RefusalReason) -> ClaimsSet {
        do throws(JOSEError) {
            return try ClaimsSet(payload: jws.payload)
        } catch {
            throw .malformedJWT
        }
    }

    // RFC 9068 §4, RFC 8725 §3.11.
    private func checkType(_ type: String?) throws(RefusalReason) {
        let presented = TokenPolicy.normalisedType(type ?? "")
        guard types.contains(where: { $0.utf8.elementsEqual(presented.utf8) }) else {
            throw .unsupportedTokenType
        }
    }

    private func connection(to issuer: String) -> IssuerConnection? {
        connections.first { CodePoints.equal($0.issuer, issuer) }
    }

    private func verify(
        _ jws: CompactJWS, with key: JWK, _ algorithm: SignatureAlgorithm
    ) throws(RefusalReason) {
        do throws(JOSEError) {
            try jws.verify(with: key, algorithm: algorithm)
        } catch .cryptographyUnavailable {
            throw .keysUnavailable
        } catch {
            throw .invalidSignature
        }
    }

    /// Who is asked about tokens that are not read here, if that is all there is to it: no cache that others share is asked first.
    var introspection: (connection: IssuerConnection, client: IntrospectionClient)? {
        guard let connection = connections.first(where: { $0.introspector != nil }),
            let client = connection.introspector, connection.sharedCache == nil
        else { return nil }
        return (connection, client)
    }

    /// Judges what an issuer that was asked at a moment has said of a token.
    func accept(
        _ outcome: IntrospectionClient.Outcome, of connection: IssuerConnection,
        askedAt moment: MonotonicInstant,
        _ notes: inout ValidationNotes
    ) throws(RefusalReason) -> VerifiedToken {
        try accept(
            Self.answer(outcome), of: connection,
            until: moment + (connection.activeLifetime ?? activeLifetime),
            &notes)
    }

    private func introspect(
        _ token: [UInt8], _ digest: SHA256Digest, _ epoch: UInt64, _ isAskedAnew: Bool,
        _ notes: inout ValidationNotes
    ) async throws(RefusalReason) -> VerifiedToken {
        guard let connection = connections.first(where: { $0.introspector != nil }),
            let introspector = connection.introspector
        else { throw .unsupportedTokenFormat }
        let lifetime = connection.activeLifetime ?? activeLifetime
        let shared = SharedAnswers(
            connection, lifetime: lifetime, inactiveLifetime: inactiveLifetime, digest: digest, time: time)
        let answer: IntrospectionClient.Answer
        let until: MonotonicInstant
        let known = await shared?.recall()
        if let known, !isAskedAnew {
            (answer, until) = known
            notes.answerEnds = until
        } else {
            // Counted from before the question, since the answer may be that old when it arrives; and the question may be another's.
            let arrival = time.uptime()
            let reply =
                isAskedAnew
                ? await introspector.newAnswer(for: token, digest: digest)
                : await introspector.answer(for: token, digest: digest, epoch: epoch)
            let asked = min(arrival, reply.askedAt)
            notes.askedAt = asked
            answer = try Self.answer(reply.outcome)
            // What counts for no time at all is not worth a place in the table.
            until = lifetime > .zero ? asked + lifetime : MonotonicInstant(nanoseconds: 0)
            if let shared, !answer.isTooLargeToKeep {
                await shared.remember(answer, askedAt: asked)
            }
        }
        return try accept(answer, of: connection, until: until, &notes)
    }

    private func accept(
        _ answer: IntrospectionClient.Answer, of connection: IssuerConnection, until: MonotonicInstant,
        _ notes: inout ValidationNotes
    ) throws(RefusalReason) -> VerifiedToken {
        guard case .active(let object) = answer else { throw .inactiveToken }
        notes.answer = object
        let until = answer.isTooLargeToKeep ? MonotonicInstant(nanoseconds: 0) : until
        let claims = ClaimsSet(object)
        let checked = try check(claims, of: connection) { () throws(RefusalReason) in
            try checker.checkIntrospected(claims, at: time.now())
        }
        return remember(checked, .opaque, issuer: connection.issuer, keys: nil, generation: 0, until: until)
    }

    private static func answer(
        _ result: Result<IntrospectionClient.Answer, AuthorizationServerFault>
    ) throws(RefusalReason) -> IntrospectionClient.Answer {
        switch result {
        case .success(let answer): return answer
        case .failure: throw .introspectionUnavailable
        }
    }

    private func check<Checked>(
        _ claims: ClaimsSet, of connection: IssuerConnection, _ check: () throws(RefusalReason) -> Checked
    ) throws(RefusalReason) -> Checked {
        do throws(RefusalReason) {
            if let named = claims.json["iss"] {
                guard let issuer = named.string else { throw .malformedClaims }
                guard issuer.utf8.elementsEqual(connection.issuer.utf8) else { throw .unknownIssuer }
            }
            return try check()
        } catch .malformedClaims {
            // An answer that can't be read says nothing about the token.
            throw .introspectionUnavailable
        } catch {
            throw error
        }
    }

    private func remember(
        _ claims: CheckedClaims, _ format: AccessToken.Format, issuer: String, keys: KeyStore?,
        generation: UInt64,
        until: MonotonicInstant
    ) -> VerifiedToken {
        let storage = AccessToken.Storage(
            claims, format: format, issuer: issuer, resource: resource, rules: rules)
        return VerifiedToken(
            token: AccessToken(storage), start: checker.start(of: claims.notBefore),
            end: checker.end(of: claims.expiresAt), keys: keys, generation: generation, usableUntil: until)
    }
}

/// What comes to light while a token is checked, beside the verdict.
struct ValidationNotes {
    /// What introspection says of the token.
    var answer: JSONObject?
    /// Until when an answer counts that came from a cache.
    var answerEnds: MonotonicInstant?
    /// When the issuer was asked, by whomever.
    var askedAt: MonotonicInstant?
    /// What there is to say of a refusal.
    var finding: RefusalFinding?
}
