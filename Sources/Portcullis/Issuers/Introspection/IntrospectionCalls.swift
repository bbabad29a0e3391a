// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport

/// The introspection calls to one server: those in flight, their waiters, and the queue.
///
/// A value without I/O: it returns actions for its owner to perform.
struct IntrospectionCalls: Sendable {
    typealias Teller = @Sendable (IntrospectionClient.Reply) -> Void

    /// The actions to perform, in this order.
    struct Consequences: Sendable {
        var incidents: [IntrospectionClient.Incident] = []
        var started: [Started] = []
        var told: [(tell: Teller, reply: IntrospectionClient.Reply)] = []
    }

    /// A call to start.
    struct Started: Sendable {
        let token: [UInt8]
        let deadline: MonotonicInstant
        fileprivate let digest: SHA256Digest
        /// The key of the waiters; `nil` for a probe.
        fileprivate let name: Name?
        fileprivate let isKnown: Bool
        fileprivate let permit: CircuitBreaker.Permit
    }

    /// Calls are shared only within an epoch: one from before an invalidation must not answer later
    /// questions.
    ///
    /// Calls for a fresh answer have no epoch and are separate.
    fileprivate struct Name: Hashable {
        let digest: SHA256Digest
        let epoch: UInt64?
    }

    /// The start of a call, and its waiters.
    private struct Call: Sendable {
        let begun: MonotonicInstant
        var tellers: [Teller]
    }

    private struct Waiting: Sendable {
        let token: [UInt8]
        let deadline: MonotonicInstant
        let name: Name
    }

    /// The share of the concurrent calls reserved for tokens known to be valid, and of additional places in
    /// their queue: one in four, so that a flood of invented tokens does not block valid ones.
    static let reservedShare = 4

    private let timeout: Duration
    private let maxConcurrentCount: Int
    private let maxCount: Int
    /// A token that no authorization server has issued, for a probe if none is known to be valid.
    private let unissuedToken: [UInt8]
    /// The calls in flight or queued.
    private var calls: [Name: Call] = [:]
    /// The calls for a fresh answer that start when the present one for the same token has ended.
    private var nextCalls: [SHA256Digest: (token: [UInt8], tellers: [Teller])] = [:]
    private var activeCount = 0
    private var unknownActiveCount = 0
    private var knownQueue = FIFOQueue<Waiting>()
    private var unknownQueue = FIFOQueue<Waiting>()
    private var breaker = CircuitBreaker()
    private var goodTokens = GoodTokens()
    private var probeCount = 0

    init(timeout: Duration, maxConcurrentCount: Int, maxCount: Int, unissuedToken: [UInt8]) {
        self.timeout = timeout
        self.maxConcurrentCount = maxConcurrentCount
        self.maxCount = maxCount
        self.unissuedToken = unissuedToken
    }

    /// The number of calls in flight or queued, and the most that there may be.
    var fill: (count: Int, capacity: Int) {
        (calls.count + nextCalls.count, maxCount + maxCount / Self.reservedShare)
    }

    private var maxUnknownActiveCount: Int {
        max(1, maxConcurrentCount - maxConcurrentCount / Self.reservedShare)
    }

    // MARK: Asking

    mutating func ask(
        _ token: [UInt8], _ digest: SHA256Digest, _ epoch: UInt64, at now: MonotonicInstant,
        then tell: @escaping Teller
    ) -> Consequences {
        var consequences = Consequences()
        let name = Name(digest: digest, epoch: epoch)
        if calls[name]?.tellers.append(tell) != nil { return consequences }
        if let fault = obstacle(to: digest, at: now) {
            consequences.told.append((tell, .init(outcome: .failure(fault), askedAt: now)))
        } else {
            begin(name, token, [tell], at: now, &consequences)
        }
        return consequences
    }

    mutating func askAnew(
        _ token: [UInt8], _ digest: SHA256Digest, at now: MonotonicInstant, then tell: @escaping Teller
    ) -> Consequences {
        var consequences = Consequences()
        if nextCalls[digest]?.tellers.append(tell) != nil { return consequences }
        let name = Name(digest: digest, epoch: nil)
        if let fault = obstacle(to: digest, at: now) {
            consequences.told.append((tell, .init(outcome: .failure(fault), askedAt: now)))
        } else if calls[name] != nil {
            nextCalls[digest] = (token, [tell])
        } else {
            begin(name, token, [tell], at: now, &consequences)
        }
        return consequences
    }

    /// Returns the reason that no call about a token can start now, or `nil`.
    private func obstacle(to digest: SHA256Digest, at now: MonotonicInstant) -> AuthorizationServerFault? {
        let isKnown = goodTokens.contains(digest)
        if case .refused = breaker.decision(isKnown: isKnown, at: now) { return .callsSuspended }
        let bound = isKnown ? maxCount + maxCount / Self.reservedShare : maxCount
        return calls.count + nextCalls.count < bound ? nil : .tooManyCalls
    }

    private mutating func begin(
        _ name: Name, _ token: [UInt8], _ tellers: [Teller], at now: MonotonicInstant,
        _ consequences: inout Consequences
    ) {
        calls[name] = Call(begun: now, tellers: tellers)
        let isKnown = goodTokens.contains(name.digest)
        let admission = breaker.decision(isKnown: isKnown, at: now)
        if case .refused = admission {
            return settle(name, .failure(.callsSuspended), at: now, &consequences)
        }
        let call = Waiting(token: token, deadline: now + timeout, name: name)
        if case .admitted = admission, hasTurn(isKnown) {
            return start(call, isKnown: isKnown, &consequences)
        }
        if isKnown { knownQueue.append(call) } else { unknownQueue.append(call) }
        if case .afterNewProbe = admission {
            breaker.beginProbing()
            probe(insteadOf: token, name.digest, at: now, &consequences)
        }
        startCalls(at: now, &consequences)
    }

    /// Starts queued calls, those about tokens known to be valid first.
    private mutating func startCalls(at now: MonotonicInstant, _ consequences: inout Consequences) {
        while activeCount < maxConcurrentCount, !knownQueue.isEmpty || !unknownQueue.isEmpty {
            let isKnown: Bool
            let call: Waiting
            if breaker.starts(isKnown: true), let first = knownQueue.popFirst() {
                (call, isKnown) = (first, true)
            } else if breaker.starts(isKnown: false), unknownActiveCount < maxUnknownActiveCount,
                let first = unknownQueue.popFirst()
            {
                (call, isKnown) = (first, false)
            } else {
                return
            }
            guard now < call.deadline else {
                settle(call.name, .failure(.tooManyCalls), at: now, &consequences)
                continue
            }
            start(call, isKnown: isKnown, &consequences)
        }
    }

    /// Whether a call may start at once, since no other waits before it.
    private func hasTurn(_ isKnown: Bool) -> Bool {
        activeCount < maxConcurrentCount && knownQueue.isEmpty
            && (isKnown || (unknownQueue.isEmpty && unknownActiveCount < maxUnknownActiveCount))
    }

    private mutating func start(_ call: Waiting, isKnown: Bool, _ consequences: inout Consequences) {
        activeCount += 1
        if !isKnown { unknownActiveCount += 1 }
        consequences.started.append(
            Started(
                token: call.token, deadline: call.deadline, digest: call.name.digest, name: call.name,
                isKnown: isKnown, permit: breaker.permit))
    }

    /// Probes with a token that an unauthenticated client cannot choose, if there is one.
    ///
    /// If no token is known to be valid yet, probes alternate between an unissued token and that of the
    /// request: a server that fails for unknown tokens would never recover with the former alone.
    private mutating func probe(
        insteadOf token: [UInt8], _ digest: SHA256Digest, at now: MonotonicInstant,
        _ consequences: inout Consequences
    ) {
        let chosen =
            goodTokens.latest
            ?? (probeCount.isMultiple(of: 2)
                ? (unissuedToken, Digest.sha256(unissuedToken)) : (token, digest))
        probeCount += 1
        consequences.started.append(
            Started(
                token: chosen.token, deadline: now + timeout, digest: chosen.digest, name: nil, isKnown: true,
                permit: breaker.permit))
    }

    // MARK: Ending

    /// Records the outcome of a call.
    mutating func end(
        _ call: Started, with outcome: IntrospectionClient.Outcome, at now: MonotonicInstant
    ) -> Consequences {
        var consequences = Consequences()
        if call.name != nil {
            activeCount -= 1
            if !call.isKnown { unknownActiveCount -= 1 }
        }
        switch outcome {
        case .success(let answer):
            if case .active = answer { goodTokens.insert(call.token, call.digest) }
            noteAnswer(call, at: now, &consequences)
        case .failure(let fault): note(fault, call, at: now, &consequences)
        }
        if let name = call.name { settle(name, outcome, at: now, &consequences) }
        startCalls(at: now, &consequences)
        return consequences
    }

    /// Answers all waiters of a call, and begins the postponed one for the same token.
    private mutating func settle(
        _ name: Name, _ outcome: IntrospectionClient.Outcome, at now: MonotonicInstant,
        _ consequences: inout Consequences
    ) {
        if let call = calls.removeValue(forKey: name) {
            let reply = IntrospectionClient.Reply(outcome: outcome, askedAt: call.begun)
            for tell in call.tellers { consequences.told.append((tell, reply)) }
        }
        guard name.epoch == nil, let next = nextCalls.removeValue(forKey: name.digest) else { return }
        begin(name, next.token, next.tellers, at: now, &consequences)
    }

    // MARK: The server's health

    private mutating func noteAnswer(
        _ call: Started, at now: MonotonicInstant, _ consequences: inout Consequences
    ) {
        if breaker.succeeded(call.permit, isProbe: call.name == nil, at: now) {
            consequences.incidents.append(.resumed)
        }
    }

    private mutating func note(
        _ fault: AuthorizationServerFault, _ call: Started, at now: MonotonicInstant,
        _ consequences: inout Consequences
    ) {
        consequences.incidents.append(.failed(fault))
        guard fault.countsAgainstServer else { return noteAnswer(call, at: now, &consequences) }
        let isOfServer = fault.isIndependentOfToken || (call.isKnown && call.name != nil)
        let consequence = breaker.failed(
            call.permit, about: call.digest, isOfServer ? .ofServer : .ofToken, isProbe: call.name == nil,
            at: now)
        switch consequence {
        case .none: break
        case .probe: probe(insteadOf: call.token, call.digest, at: now, &consequences)
        case .suspended(let pause):
            consequences.incidents.append(.suspended(pause))
            while let call = knownQueue.popFirst() ?? unknownQueue.popFirst() {
                settle(call.name, .failure(.callsSuspended), at: now, &consequences)
            }
        }
    }
}

/// The recently active tokens of a server, by a few bytes of their hashes, and the latest one of them.
///
/// A token is forgotten when another takes its slot. A false positive, one in 2⁶⁴, gives a token priority in
/// the queue.
private struct GoodTokens: Sendable {
    static let capacity = 4096

    private var tags: [UInt64] = []
    private(set) var latest: (token: [UInt8], digest: SHA256Digest)?

    func contains(_ digest: SHA256Digest) -> Bool {
        !tags.isEmpty && tags[Self.place(digest)] == digest.prefix
    }

    mutating func insert(_ token: [UInt8], _ digest: SHA256Digest) {
        if tags.isEmpty { tags = [UInt64](repeating: 0, count: Self.capacity) }
        tags[Self.place(digest)] = digest.prefix
        latest = (token, digest)
    }

    private static func place(_ digest: SHA256Digest) -> Int {
        Int(truncatingIfNeeded: digest.prefix) & (capacity - 1)
    }
}

extension AuthorizationServerFault {
    /// Whether the next call may fail in the same way, whatever its token.
    fileprivate var countsAgainstServer: Bool {
        switch cause {
        case .status(429): true
        case .status(400..<500): false
        default: true
        }
    }

    /// Whether the token can't be the cause: the server was not reached, or the fault is ours.
    fileprivate var isIndependentOfToken: Bool {
        switch cause {
        case .noResponse(let error): error.kind.isIndependentOfRequest
        case .missingMember, .insecureURL, .issuerMismatch, .noMetadata, .unusableCredentials:
            true
        default: false
        }
    }
}

extension FetchError {
    /// Whether another request would fail alike.
    fileprivate var isIndependentOfRequest: Bool {
        switch self {
        case .unreachable, .forbiddenAddress, .untrustedServer, .noFetcher: true
        case .timedOut, .tooLarge, .malformedResponse, .failed: false
        }
    }
}
