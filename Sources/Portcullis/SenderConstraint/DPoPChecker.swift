// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport

/// Checks the DPoP proof of a request: that its sender has the key that the token is bound to.
///
/// RFC 9449 §4.3, §7.1.
final class DPoPChecker: Sendable {
    /// The maximum length of a proof, in bytes.
    static let maximumProofByteCount = 8192
    /// The number of tokens whose last proof header is cached.
    static let rememberedHeaderCount = 1024

    private let target: ProofTarget
    private let algorithms: Set<SignatureAlgorithm>
    /// In seconds.
    private let maxAge: Double
    private let maxFuture: Double
    private let replays: any ReplayStore
    /// The same store, if it answers without waiting.
    private let immediateReplays: InMemoryReplayStore?
    /// The same store, if it was created here and not passed in.
    private let ownReplays: InMemoryReplayStore?
    /// `nil` if nonces are not required.
    private let nonces: (any NonceSource)?
    /// The header of the last accepted proof per token: usually the same each time.
    private let headers = TokenTable<ProofHeader>(capacity: DPoPChecker.rememberedHeaderCount)

    init(
        _ policy: DPoPPolicy, algorithms: [SignatureAlgorithm], resource: ResourceIdentifier,
        memories: ProofMemories, time: TimeSource
    ) {
        target = ProofTarget(resource, refusesQuery: policy.refusesQueryInTarget)
        self.algorithms = Set(algorithms)
        maxAge = policy.proofMaxAge / .seconds(1)
        maxFuture = policy.proofMaxFuture / .seconds(1)
        if let given = policy.replayStore {
            ownReplays = nil
            replays = given
        } else {
            let own = memories.store(
                for: resource, capacity: policy.replayCacheEntryCount, uptime: time.uptime)
            ownReplays = own
            replays = own
        }
        immediateReplays = replays as? InMemoryReplayStore
        nonces =
            policy.nonce == .off
            ? nil : policy.nonceSource ?? memories.sealer(for: resource, policy, at: time.now())
    }

    /// Takes over the state of an earlier checker of the same resource: used proofs and nonce keys.
    ///
    /// RFC 9449 §8, §11.1.
    func inherit(from earlier: DPoPChecker, at now: NumericDate) {
        if let ownReplays, let theirs = earlier.ownReplays { ownReplays.share(theirs) }
        guard let sealer = nonces as? NonceSealer, let theirs = earlier.nonces as? NonceSealer else { return }
        sealer.inherit(from: theirs, at: now)
    }

    /// Returns the nonce for an answer, or `nil` if nonces are not required.
    func nonce(at now: NumericDate) -> String? {
        nonces?.nonce(at: now)
    }

    /// Returns the range of the only proof of a request.
    ///
    /// RFC 9449 §4.3, 1.
    func locate(in head: borrowing RequestHead) throws(RefusalReason) -> Range<Int> {
        guard let (range, count) = head.find(.dpop) else { throw .missingProof }
        guard count == 1 else { throw .repeatedProof }
        guard !range.isEmpty else { throw .missingProof }
        return range
    }

    /// The number of recorded proofs and the most that there may be; `nil` for a store of other software.
    var replayFill: (count: Int, capacity: Int)? {
        immediateReplays.map { ($0.count, $0.capacity) }
    }

    /// Whether answers carry nonces.
    var hasNonces: Bool { nonces != nil }

    /// Records a proof and returns whether it was used before, or `nil` if the store answers asynchronously.
    func insertAtHand(_ record: ReplayRecord) -> ReplayVerdict? {
        immediateReplays?.insert(record)
    }

    /// Makes the question whether a proof was used before.
    func question(_ record: ReplayRecord) -> ReplayQuestion {
        ReplayQuestion(store: replays, record: record)
    }

    static func judge(_ verdict: ReplayVerdict) throws(RefusalReason) {
        switch verdict {
        case .fresh: return
        case .replayed: throw .replayedProof
        case .full: throw .replayStoreFull
        case .unavailable: throw .replayStoreUnavailable
        }
    }

    /// Checks a proof against the request, the token and its key, but not whether it was used before.
    ///
    /// Cheap checks come first.
    func check(
        _ range: Range<Int>, of head: RequestHead, tokenDigest: SHA256Digest,
        boundTo thumbprint: SHA256Digest,
        at now: NumericDate
    ) throws(RefusalReason) -> ReplayRecord {
        let proof = Array(head.bytes[range])
        guard proof.count <= Self.maximumProofByteCount else { throw .malformedProof }
        let known = knownHeader(of: proof, with: tokenDigest)
        let jws = try Self.read(proof, known?.header)
        let header: ProofHeader
        if let known { header = known } else { header = try ProofHeader(jws, accepting: algorithms) }
        let claims = try ProofClaims(jws.payload)
        try check(claims, head, tokenDigest, at: now)
        try Self.verify(jws, header)
        guard header.thumbprint == thumbprint else { throw .proofKeyMismatch }
        if known == nil { headers.insert(header, for: tokenDigest) }
        return try record(claims, header, try check(nonce: claims.nonce, at: now), at: now)
    }

    private func knownHeader(of proof: [UInt8], with tokenDigest: SHA256Digest) -> ProofHeader? {
        guard let remembered = headers[tokenDigest], CompactJWS.token(proof, beginsWith: remembered.part)
        else { return nil }
        return remembered
    }

    private static func read(_ proof: [UInt8], _ header: JOSEHeader?) throws(RefusalReason) -> CompactJWS {
        do throws(JOSEError) {
            return try CompactJWS(proof, maximumByteCount: maximumProofByteCount, header: header)
        } catch {
            throw .malformedProof
        }
    }

    // RFC 9449 §4.3, 8, 9, 11 and 12. If nonces are required, they determine the age of a proof.
    private func check(
        _ claims: ProofClaims, _ head: borrowing RequestHead, _ tokenDigest: SHA256Digest, at now: NumericDate
    ) throws(RefusalReason) {
        // RFC 9110 §9.1: methods are case-sensitive.
        guard claims.method.utf8.elementsEqual(head.method.name.utf8) else { throw .proofMethodMismatch }
        guard target.matches(claims.uri, head) else { throw .proofTargetMismatch }
        if nonces == nil { try checkIssueTime(claims, at: now) }
        // The comparison need not be constant-time: a client that sends the hash has the token.
        guard let hash = Base64URL.decode(claims.tokenHash).flatMap(SHA256Digest.init), hash == tokenDigest
        else {
            throw .proofTokenMismatch
        }
    }

    // RFC 9449 §4.3, 6.
    private static func verify(_ jws: CompactJWS, _ header: ProofHeader) throws(RefusalReason) {
        do throws(JOSEError) {
            try jws.verify(with: header.key, algorithm: header.algorithm)
        } catch .cryptographyUnavailable {
            throw .keysUnavailable
        } catch {
            throw .invalidProofSignature
        }
    }

    // RFC 9449 §4.3, 11; §11.1: a store that does not outlive the server has not seen proofs issued before
    // its start.
    private func checkIssueTime(_ claims: ProofClaims, at now: NumericDate) throws(RefusalReason) {
        guard now <= claims.issuedAt.adding(seconds: maxAge),
            claims.issuedAt <= now.adding(seconds: maxFuture),
            claims.issuedAt >= start(at: now) ?? claims.issuedAt
        else {
            throw .proofOutsideWindow
        }
    }

    /// Returns the rest of the second in which the store's memory began.
    func timeUntilNewProofs(at now: NumericDate) -> Duration {
        guard let start = start(at: now) else { return .zero }
        return .seconds(max(0, min(start.seconds.rounded(.up) - now.seconds, 1)))
    }

    /// Returns the time since which the store has seen every proof, or `nil` if it outlives the server.
    func start(at now: NumericDate) -> NumericDate? {
        replays.age.map { now.adding(.zero - $0) }
    }

    // RFC 9449 §4.3, 10; §9: an unknown nonce counts as none.
    private func check(nonce: String?, at now: NumericDate) throws(RefusalReason) -> NonceValidity? {
        guard let nonces else { return nil }
        guard let nonce else { throw .missingNonce }
        guard let validity = nonces.validity(of: nonce, at: now) else { throw .staleNonce }
        return validity
    }

    // RFC 9449 §11.1.
    private func record(
        _ claims: ProofClaims, _ header: ProofHeader, _ nonce: NonceValidity?, at now: NumericDate
    ) throws(RefusalReason) -> ReplayRecord {
        // A nonce from before the start doesn't exclude that an earlier process accepted the proof.
        if let nonce, let start = start(at: now), nonce.issuedSince < start {
            try checkIssueTime(claims, at: now)
        }
        let key = header.thumbprint.bytes
        var named = key
        named.append(contentsOf: claims.identifier.utf8)
        return ReplayRecord(
            identifier: Digest.sha256(named).bytes, keyThumbprint: key, now: now,
            until: nonce?.until ?? claims.issuedAt.adding(seconds: maxAge))
    }
}
