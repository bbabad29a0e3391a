// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport
import Synchronization

// Checks a token that is not cached, as a JWT or by introspection. Its form and its issuer decide which; one
// way is never tried because the other has failed.

/// The state of the check of one token.
///
/// Separate from ``Admission``, which stays a few plain values for a request with a cached token.
// SAFETY: owned by one admission, which cannot be copied and is advanced by one driver at a time.
final class Validation: @unchecked Sendable {
    /// The start of the check; a cached result is at least this old.
    let arrival: MonotonicInstant
    /// The epoch at the start; a result is not cached if an invalidation has begun another one since.
    let epoch: UInt64
    /// The trusted issuer of the token, once determined.
    var connection: IssuerConnection?
    var claims: ClaimsSet?
    var audience: [String] = []
    var expiresAt: NumericDate?
    var notBefore: NumericDate?

    // A JWT. Its signature is unverified until the step `signature` has passed.
    var jwt: UnverifiedJWT?
    var algorithm: SignatureAlgorithm?
    var key: JWK?
    /// Further keys that fit, to be tried in this order.
    var otherKeys: ArraySlice<JWK> = []
    /// Whether more keys fit than are tried.
    var hasUntriedKeys = false
    /// The thumbprints of the keys that did not verify the signature.
    var failedKeys: [String] = []
    /// The generation of the keys that the signature was verified with.
    var generation: UInt64 = 0
    private(set) var askedForKeys: KeyQuestion.Lack?
    var keyOutcome: KeyQuestion.Outcome?

    // An introspected token.
    var isIntrospected = false
    /// The answer of the issuer, if it was asked.
    var reply: IntrospectionClient.Reply?
    /// The shared cache, and its answer.
    var sharedAnswers: SharedAnswers?
    var sharedReading: SharedAnswers.Reading?
    /// Whether the answer was stored in the shared cache.
    var isShared = false
    /// The end of an introspection answer's lifetime.
    var usableUntil = MonotonicInstant(nanoseconds: .max)
    /// The same, if the answer came from the shared cache.
    var answerEnds: MonotonicInstant?
    /// The time at which the issuer was asked, by this process or another.
    var askedAt: MonotonicInstant?
    /// The members of an active answer.
    var answer: JSONObject?
    /// Whether the token is an introspected JWT with a nonce.
    var hasNonce = false

    init(of gate: Gate) {
        arrival = gate.validator.time.uptime()
        epoch = gate.epoch.load(ordering: .sequentiallyConsistent)
    }

    func ask(for lack: KeyQuestion.Lack, of keys: KeyStore) -> AdmissionNeed {
        askedForKeys = lack
        keyOutcome = nil
        return .keys(KeyQuestion(keys: keys, lack: lack))
    }

    /// The time at which the issuer was asked, or shortly before, by this process or another.
    var moment: MonotonicInstant { min(arrival, askedAt ?? arrival) }
}

extension Admission {
    /// Takes one of the steps from `characters` to `claims`; those about claims are in another file.
    mutating func validate(
        _ step: AdmissionStep, _ head: RequestHead, _ requirement: AccessRequirement
    ) throws(RefusalReason) -> Turn {
        guard let presented else { throw .missingCredentials }
        switch step {
        case .characters:
            // RFC 6750 §2.1. Not needed for a cached token.
            guard presented.isToken68(in: head) else { throw .malformedToken }
            return .passed
        case .format: return chooseFormat(presented, head)
        case .introspection: return try introspect(presented, head, requirement)
        default: break
        }
        guard let validation else { throw .malformedJWT }
        do throws(RefusalReason) {
            switch step {
            case .header: return try readHeader(presented, head, validation)
            case .type: return try checkType(validation)
            case .algorithm: return try checkAlgorithm(validation)
            case .payload: return try readPayload(validation)
            case .issuer: return try findIssuer(validation)
            case .key: return try findKey(validation)
            case .signature: return try verify(validation)
            default: return try checkClaims(step, presented, head, validation)
            }
        } catch {
            throw reason(for: error, validation)
        }
    }

    // MARK: A JWT. RFC 9068 §4.

    private mutating func chooseFormat(_ presented: PresentedToken, _ head: RequestHead) -> Turn {
        guard gate.validator.isCheckedAsJWT(shaped: presented.isShapedAsJWS(in: head)) else {
            return .to(.introspection)
        }
        guard hasSignatureTime else { return lack(.signatureTime) }
        // Begun now: what was invalidated while the request waited for its turn counts.
        validation = Validation(of: gate)
        return .passed
    }

    private func readHeader(
        _ presented: PresentedToken, _ head: RequestHead, _ validation: Validation
    ) throws(RefusalReason) -> Turn {
        validation.jwt = try gate.validator.readHeader(presented.bytes(in: head))
        return .passed
    }

    // RFC 9068 §4, RFC 8725 §3.11.
    private func checkType(_ validation: Validation) throws(RefusalReason) -> Turn {
        guard let jwt = validation.jwt else { throw .malformedJWT }
        if !jwt.hasKnownHeader { try gate.validator.checkType(jwt.jws.header.type) }
        return .passed
    }

    // RFC 8725 §3.1: the resource's list decides; the token only chooses from it.
    private func checkAlgorithm(_ validation: Validation) throws(RefusalReason) -> Turn {
        validation.algorithm = try gate.validator.algorithm(of: validation.jwt?.jws.header)
        return .passed
    }

    private func readPayload(_ validation: Validation) throws(RefusalReason) -> Turn {
        guard let jwt = validation.jwt else { throw .malformedJWT }
        validation.claims = try gate.validator.readClaims(jwt.jws)
        return .passed
    }

    // RFC 9068 §4: the issuer is checked before any key is used and before anything is fetched.
    private mutating func findIssuer(_ validation: Validation) throws(RefusalReason) -> Turn {
        guard let claims = validation.claims else { throw .malformedJWT }
        guard let connection = gate.validator.connection(namedBy: claims) else {
            return try findTenant(claims, validation)
        }
        return try take(connection, validation)
    }

    /// Finds the tenant of a trusted pattern: known, or after its keys have been asked for.
    private mutating func findTenant(
        _ claims: ClaimsSet, _ validation: Validation
    ) throws(RefusalReason) -> Turn {
        let begins = !isHypothetical && validation.askedForKeys == nil
        switch gate.validator.tenant(namedBy: claims, begins: begins) {
        case nil: throw .unknownIssuer
        case .refused(let reason): throw reason
        case .known(let connection): return try take(connection, validation)
        case .unknown(let connection):
            guard let keys = connection.keys, validation.askedForKeys == nil else { throw .keysUnavailable }
            return lack(validation.ask(for: .keys, of: keys))
        }
    }

    private func take(
        _ connection: IssuerConnection, _ validation: Validation
    ) throws(RefusalReason) -> Turn {
        validation.connection = connection
        guard connection.keys == nil else {
            try gate.validator.checkAlgorithm(validation.algorithm, of: connection)
            return .passed
        }
        // The token of one issuer is never sent to another.
        guard gate.validator.format == .any, connection.introspector != nil else {
            throw .unsupportedTokenFormat
        }
        return .to(.introspection)
    }

    // RFC 7515 §4.1.4, RFC 7517 §4.5.
    private mutating func findKey(_ validation: Validation) throws(RefusalReason) -> Turn {
        guard let jwt = validation.jwt, let algorithm = validation.algorithm,
            let keys = validation.connection?.keys
        else { throw .keysUnavailable }
        let found = try keys.key(
            jwt.jws.header.keyID, algorithm, at: gate.validator.time.uptime(),
            after: validation.askedForKeys, validation.keyOutcome)
        switch found {
        case .found(let key, let generation):
            validation.key = key
            validation.generation = generation
            return .passed
        case .several(let fitting, let isComplete, let generation):
            validation.key = fitting.first
            validation.otherKeys = fitting.dropFirst()
            validation.hasUntriedKeys = !isComplete
            validation.generation = generation
            return .passed
        case .lacking(let lack): return self.lack(validation.ask(for: lack, of: keys))
        }
    }

    // RFC 7515 §5.2.
    mutating func verify(_ validation: Validation) throws(RefusalReason) -> Turn {
        guard let jwt = validation.jwt, let algorithm = validation.algorithm, let key = validation.key else {
            throw .keysUnavailable
        }
        // After a failed check the step is taken again: with the next key, or with newer ones.
        if !validation.failedKeys.isEmpty {
            if validation.failedKeys.contains(key.thumbprint) { return try takeNewerKeys(validation) }
            guard hasSignatureTime else { return lack(.signatureTime) }
        }
        do throws(RefusalReason) {
            // Judged after a refusal, the header may be what was refused.
            try gate.validator.verify(jwt, with: key, algorithm, remembersHeader: !isHypothetical)
        } catch {
            guard error == .invalidSignature else { throw error }
            return try tryAnotherKey(than: key, validation)
        }
        return .to(.kind)
    }

    // MARK: An introspected token. RFC 7662 §2.

    private mutating func introspect(
        _ presented: PresentedToken, _ head: RequestHead, _ requirement: AccessRequirement
    ) throws(RefusalReason) -> Turn {
        guard let connection = gate.validator.introspecting, let client = connection.introspector else {
            throw .unsupportedTokenFormat
        }
        let validation = validation ?? Validation(of: gate)
        self.validation = validation
        validation.isIntrospected = true
        validation.connection = connection
        if validation.sharedAnswers == nil {
            validation.sharedAnswers = gate.validator.sharedAnswers(connection, presented.digest)
        }
        if let answers = validation.sharedAnswers, validation.sharedReading == nil {
            return lack(.sharedAnswer(answers))
        }
        let answer: IntrospectionClient.Answer
        if let known = validation.sharedReading?.recalled, !requirement.needsFreshIntrospection {
            answer = known.answer
            validation.usableUntil = known.until
            validation.answerEnds = known.until
        } else {
            guard let reply = validation.reply else {
                return lack(
                    .introspection(
                        IntrospectionQuestion(
                            client: client, token: presented.bytes(in: head), digest: presented.digest,
                            sharing: requirement.needsFreshIntrospection
                                ? .none : .within(epoch: validation.epoch))))
            }
            // The call may have been started earlier by another request.
            let asked = min(validation.arrival, reply.askedAt)
            validation.askedAt = asked
            answer = try Self.answer(reply)
            // An answer without a lifetime is not cached.
            let lifetime = gate.validator.lifetime(of: connection)
            validation.usableUntil = lifetime > .zero ? asked + lifetime : MonotonicInstant(nanoseconds: 0)
            if let answers = validation.sharedAnswers, let ticket = validation.sharedReading?.ticket,
                !validation.isShared, !answer.isTooLargeToKeep
            {
                return lack(.sharing(answers, answer, askedAt: asked, ticket: ticket))
            }
        }
        guard case .active(let members) = answer else { throw .inactiveToken }
        validation.answer = members
        if answer.isTooLargeToKeep { validation.usableUntil = MonotonicInstant(nanoseconds: 0) }
        let claims = ClaimsSet(members)
        validation.claims = claims
        do throws(RefusalReason) {
            try TokenValidator.checkIssuer(connection, in: claims)
        } catch {
            throw reason(for: error, validation)
        }
        return .passed
    }

    private static func answer(
        _ reply: IntrospectionClient.Reply
    ) throws(RefusalReason) -> IntrospectionClient.Answer {
        switch reply.outcome {
        case .success(let answer): return answer
        case .failure: throw .introspectionUnavailable
        }
    }

    // MARK: Fresh introspection. RFC 7662 §4.

    /// Asks the issuer of a JWT that was verified here whether it is active still, whatever was said before.
    mutating func confirm(_ head: RequestHead) throws(RefusalReason) -> Turn {
        guard let token, token.format == .jwt, let presented else { return .irrelevant }
        guard let connection = gate.validator.connection(to: token.issuer),
            let client = connection.introspector
        else { throw .unsupportedTokenFormat }
        guard let confirmation, let reply = confirmation.reply else {
            let confirmation = Validation(of: gate)
            confirmation.isIntrospected = true
            confirmation.connection = connection
            self.confirmation = confirmation
            return lack(
                .introspection(
                    IntrospectionQuestion(
                        client: client, token: presented.bytes(in: head), digest: presented.digest,
                        sharing: .none)))
        }
        do throws(RefusalReason) {
            guard case .active(let members) = try Self.answer(reply) else { throw .inactiveToken }
            confirmation.answer = members
            let claims = ClaimsSet(members)
            try TokenValidator.checkIssuer(connection, in: claims)
            try gate.validator.checker.checkConfirmation(claims, at: gate.validator.time.now())
        } catch {
            throw reason(for: error, confirmation)
        }
        return .passed
    }
}
