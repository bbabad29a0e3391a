// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

extension ProtectedResource {
    /// Describes what was expected of a refused request and what it had.
    ///
    /// Parses the request again, so that admitted requests pay nothing for this.
    func finding(
        for reason: RefusalReason, at step: AdmissionStep, of head: RequestHead,
        requiring requirement: AccessRequirement, _ context: AuthorizationContext, form: [UInt8]?,
        introspected answer: JSONObject?
    ) -> RefusalFinding {
        if reason == .missingCredentials { return gate.absence }
        let reading = RequestReading(head, form: form, of: gate, for: requirement)
        let digest = reading.token.map { Digest.sha256($0) }
        // For a cached rejection, the introspection answer is gone; its finding was kept.
        if let known = digest.flatMap({ gate.rejected[$0] }), known.reason == reason, let said = known.finding
        {
            return said
        }
        let claims = answer ?? digest.flatMap { gate.verified[$0] }?.token.claims ?? reading.claims
        let findings = RequestFindings(
            gate: gate, reading: reading, requirement: requirement, claims: claims, failure: reason)
        let (expected, got) =
            findings.presentation(reason, head) ?? findings.token(reason) ?? findings.proof(reason)
            ?? findings.certificate(reason, head, context)
            ?? findings.findings(of: Self.wording(reason, at: step, isIntrospected: !reading.isJWT))
        return RefusalFinding(expected: expected ?? "", got: got ?? "")
    }

    /// The step whose texts apply: a cached rejection or a fresh introspection is about an earlier one.
    private static func wording(
        _ reason: RefusalReason, at step: AdmissionStep, isIntrospected: Bool
    ) -> AdmissionStep {
        switch step {
        case .memory: reason.step(isIntrospected: isIntrospected)
        case .freshness: reason.step(isIntrospected: true)
        default: step
        }
    }
}

extension RefusalFinding {
    /// Describes what a valid token lacks for a request.
    convenience init(
        _ reason: RefusalReason, of token: AccessToken.Storage, for requirement: AccessRequirement
    ) {
        let claim = { FindingWords.printable(token.claims[$0]) }
        switch reason {
        case .insufficientScope:
            let scopes = token.scopes.map(\.name).joined(separator: " ")
            self.init(
                expected: requirement.scopeWords,
                got: scopes.isEmpty ? "none" + ScopeHint.words(token.claims) : FindingWords.printable(scopes))
        case .claimConditionUnmet:
            let unmet = (requirement.conditions?.claims ?? []).first { !$0.isMet(by: token.claims) }
            self.init(
                expected: unmet?.words ?? "",
                got: FindingWords.printable(unmet?.pointer.value(in: token.claims)))
        case .unboundToken:
            self.init(expected: "a token that is bound to its client", got: "an unbound token")
        case .insufficientAuthorizationDetails:
            self.init(expected: requirement.detailWords, got: RequestFindings.detailTypes(token.claims))
        default:
            self.init(
                expected: requirement.authenticationWords,
                got: "acr \(claim("acr")), auth_time "
                    + FindingWords.time(token.claims["auth_time"], at: token.rules.now))
        }
    }
}

extension RequestFindings {
    fileprivate typealias Texts = (expected: String?, got: String?)

    /// Describes what is wrong with the place or the syntax of the token.
    fileprivate func presentation(_ reason: RefusalReason, _ head: RequestHead) -> Texts? {
        let count = gate.maxTokenByteCount
        switch reason {
        case .forbiddenOrigin:
            let origins = head.fields.values(of: .origin).joined(separator: ", ")
            return (gate.originCheck?.allowed.joined(separator: " or "), FindingWords.printable(origins))
        case .malformedToken:
            // Not a token, so possibly some other secret.
            return ("the characters of a token68", reading.token.map(FindingWords.length))
        case .tokenTooLong:
            return ("at most \(count) characters", reading.token.map { "\($0.count) characters" })
        case .boundTokenAsBearer: return ("Authorization: DPoP, with a proof", "Authorization: Bearer")
        case .unboundToken: return ("a token bound to a key", "an unbound token")
        case .unversionedOperation:
            let versions = head.fields.values(of: "MCP-Protocol-Version")
            return (
                "one MCP-Protocol-Version of \(OperationRules.firstRevision) or later",
                versions.isEmpty ? "none" : FindingWords.printable(versions.joined(separator: " and "))
            )
        default: return nil
        }
    }

    /// Describes what is wrong with the token, or with its issuer.
    fileprivate func token(_ reason: RefusalReason) -> Texts? {
        let introspecting = gate.validator.connections.first { $0.introspector != nil }?.issuer
        switch reason {
        case .unknownIssuer where !reading.isJWT: return (introspecting, claim("iss"))
        case .unsupportedTokenType where !reading.isJWT:
            return ("the token_type of an access token", "token_type \(claim("token_type"))")
        case .missingClaim: return findings(of: .claims)
        case .unsupportedTokenFormat where reading.isJWT:
            return ("an issuer with keys or introspection", "a JWT of \(claim("iss"))")
        case .unsupportedTokenFormat: return ("an issuer that introspects", "none")
        case .ambiguousKey:
            return (
                "a kid that at most \(JWKSet.maximumCandidateCount) keys have",
                "kid " + FindingWords.printable(reading.header?["kid"])
            )
        case .keysUnavailable: return ("keys of \(claim("iss"))", "no usable keys")
        case .invalidSignature:
            let key = FindingWords.printable(reading.header?["kid"])
            return ("a signature by the issuer's key \(key)", reading.token.map(FindingWords.hashed))
        case .introspectionUnavailable:
            if let texts = malformed { return texts }
            return (introspecting.map { "an answer of \($0)" }, "no usable answer")
        case .malformedClaims: return malformed
        case .malformedActor: return ("an act of at most \(TokenActor.maxChainLength) actors", actorShape)
        case .idToken: return ("no at_hash, no c_hash, no token_use of id", idTokenClaims)
        case .claimValueMismatch: return findings(of: .claimValues)
        case .unprovenPossession: return ("cnf with jkt or x5t#S256 and nothing else", confirmation)
        default: return nil
        }
    }

    /// Describes what is wrong with the DPoP proof.
    ///
    /// RFC 9449 §4.3.
    fileprivate func proof(_ reason: RefusalReason) -> Texts? {
        let claims = reading.proof
        let policy = gate.tokens.dpop
        let now = gate.validator.time.now()
        switch reason {
        case .strayProof: return ("no DPoP field with a bearer token", "\(reading.proofCount)")
        case .missingProof: return ("one DPoP field", "none")
        case .repeatedProof: return ("one DPoP field", "\(reading.proofCount)")
        case .malformedProof: return ("a dpop+jwt with jwk, jti, htm, htu, iat and ath", proofShape)
        case .unsupportedProofAlgorithm:
            let algorithms = Presentation.dpopAlgorithms(gate.metadata) ?? []
            return (
                algorithms.map(\.rawValue).joined(separator: ", "),
                FindingWords.printable(reading.proofHeader?["alg"])
            )
        case .proofMethodMismatch:
            return (
                "htm \(FindingWords.printable(reading.method))",
                "htm \(FindingWords.printable(claims?["htm"]))"
            )
        case .proofTargetMismatch: return ("htu \(FindingWords.printable(target))", "htu \(named)")
        case .proofOutsideWindow:
            let first = max(
                now.adding(.zero - policy.proofMaxAge),
                gate.dpop?.start(at: now) ?? now.adding(.zero - policy.proofMaxAge))
            let last = now.adding(policy.proofMaxFuture)
            let start = NumericDate(seconds: first.seconds.rounded(.up)) ?? first
            return (
                "iat from \(FindingWords.time(start) ?? "1970") to \(FindingWords.time(last) ?? "9999")",
                "iat \(FindingWords.time(claims?["iat"], at: now))"
            )
        case .proofTokenMismatch:
            guard let hash = reading.token.flatMap(FindingWords.hashPrefix) else {
                return ("the ath of this token", "another")
            }
            return ("ath \(hash)", "ath \(FindingWords.prefix(claims?["ath"]))")
        case .invalidProofSignature: return ("a signature by the key in jwk", "another")
        case .proofKeyMismatch:
            let key = reading.proofHeader?["jwk"]?.object.flatMap { try? JWK($0) }
            return (
                "the key \(FindingWords.prefix(self.claims?["cnf"]?.object?["jkt"]))",
                "the key \(key.map { FindingWords.prefix($0.thumbprint) } ?? "none")"
            )
        case .missingNonce: return ("a nonce of this resource", "none")
        case .staleNonce:
            let seconds = 2 * policy.nonceLifetime.components.seconds
            return (
                "a nonce of this resource of the last \(seconds) s", FindingWords.hashed(claims?["nonce"])
            )
        case .replayedProof:
            return ("a jti that this key has not used", FindingWords.hashed(claims?["jti"]))
        case .replayStoreFull: return ("room to remember the proof", "none")
        case .replayStoreUnavailable: return ("a replay store that answers", "none")
        default: return nil
        }
    }

    /// Describes what is wrong with the client's certificate.
    ///
    /// RFC 8705 §3, RFC 9440 §2.
    fileprivate func certificate(
        _ reason: RefusalReason, _ head: RequestHead, _ context: AuthorizationContext
    ) -> Texts? {
        let expected = "the certificate \(FindingWords.prefix(claims?["cnf"]?.object?["x5t#S256"]))"
        switch reason {
        case .missingClientCertificate:
            let hasField = head.fields.contains(ClientCertificateField.clientCert.name)
            return (expected, hasField ? "none; Client-Cert does not count here" : "none")
        case .clientCertificateMismatch:
            let actual = try? context.clientCertificate.thumbprint(in: head)
            return (expected, "the certificate \(actual.map { FindingWords.prefix($0.base64URL) } ?? "none")")
        case .malformedClientCertificate:
            let field = context.clientCertificate.field ?? .clientCert
            let count = head.fields.values(of: field.name).count
            return (field.expectation, count == 1 ? "a malformed one" : "\(count)")
        default: return nil
        }
    }

    // MARK: Texts

    /// The claims of a wrong type: the expected types, and the present ones.
    private var malformed: Texts? {
        guard let claims else { return nil }
        let faults = gate.validator.checker.faults(
            in: claims, isIntrospected: !reading.isJWT, rules: claimRules)
        guard !faults.isEmpty else { return nil }
        let texts = { (part: (ClaimFault) -> String) in
            faults.map { "\($0.name): \(part($0))" }.joined(separator: ", ")
        }
        return (texts(\.expected), texts(\.found))
    }

    /// The claims of an ID token that the token has.
    private var idTokenClaims: String {
        // An introspected token may have them itself, or its introspection answer.
        let sources = [claims, reading.contentOfIntrospected].compactMap(\.self)
        let hashes = ["at_hash", "c_hash"].filter { name in sources.contains { $0.hasValue(name) } }
        let use = sources.last { $0.hasValue("token_use") }?["token_use"]
        let words = hashes + (use.map { ["token_use \(FindingWords.printable($0))"] } ?? [])
        return words.isEmpty ? "none" : words.joined(separator: ", ")
    }

    private var actorShape: String {
        guard let value = claims?["act"] else { return "none" }
        return value.object == nil ? value.typePhrase : "a longer chain, or a sub or iss that is no string"
    }

    private var confirmation: String {
        guard let value = claims?["cnf"] else { return "no cnf" }
        guard let object = value.object else { return "a cnf that is not an object" }
        return "cnf with \(FindingWords.printable(object.members.map(\.name).joined(separator: ", ")))"
    }

    private var proofShape: String {
        guard let header = reading.proofHeader, let claims = reading.proof else { return "no such JWT" }
        let type = header["typ"]?.string
        guard type == "dpop+jwt" else { return "typ \(FindingWords.printable(header["typ"]))" }
        guard let key = header["jwk"]?.object else { return "no jwk" }
        let missing = ["jti", "htm", "htu", "iat", "ath"].filter { claims[$0] == nil }
        guard missing.isEmpty else { return "one without \(missing.joined(separator: ", "))" }
        if let key = try? JWK(key), key.hasPrivateMembers { return "a jwk with private members" }
        return "a malformed jwk or claim"
    }

    /// The URI that proofs must name.
    private var target: String {
        let identifier = gate.metadata.resource
        let isUsual = identifier.port == (identifier.scheme == "https" ? 443 : 80)
        return
            "\(identifier.scheme)://\(identifier.host)\(isUsual ? "" : ":\(identifier.port)")\(reading.path)"
    }

    /// The `htu` of the proof, without query, fragment and user information, which may be secret.
    var named: String {
        guard let text = reading.proof?["htu"]?.string else { return "none" }
        let end = text.utf8.firstIndex { $0 == 0x3F || $0 == 0x23 } ?? text.endIndex
        guard !text[..<end].utf8.contains(0x40) else { return "one with user information" }
        return FindingWords.printable(String(text[..<end]))
            + (end == text.endIndex ? "" : " with a query or fragment")
    }
}
