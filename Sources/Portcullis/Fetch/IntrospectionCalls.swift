// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport

/// The introspection calls to one server: which are under way, who shares them, which wait for their turn.
///
/// Pure: says what is to be done, and does nothing itself.
struct IntrospectionCalls: Sendable {
    typealias Teller = @Sendable (IntrospectionClient.Reply) -> Void

    /// What is to be done, in this order.
    struct Consequences: Sendable {
        var incidents: [IntrospectionClient.Incident] = []
        var started: [Started] = []
        var told: [(tell: Teller, reply: IntrospectionClient.Reply)] = []
    }

    /// A call whose turn it is.
    struct Started: Sendable {
        let token: [UInt8]
        let deadline: MonotonicInstant
        fileprivate let name: Name
        fileprivate let permit: CircuitBreaker.Permit
    }

    /// Calls are shared within an epoch only: what was asked before tokens were invalidated answers nobody who comes after.
    ///
    /// Those that were begun for somebody who wants a new answer are apart.
    fileprivate struct Name: Hashable {
        let digest: SHA256Digest
        let epoch: UInt64?
    }

    /// When a call was begun, and who is to be told of it.
    private struct Call: Sendable {
        let begun: MonotonicInstant
        var tellers: [Teller]
    }

    private struct Waiting: Sendable {
        let token: [UInt8]
        let deadline: MonotonicInstant
        let name: Name
    }

    private let timeout: Duration
    private let maxConcurrentCount: Int
    private let maxCount: Int
    /// The calls that are under way or in the line.
    private var calls: [Name: Call] = [:]
    /// The calls that will be begun for those who want a new answer when the one for them has ended.
    private var nextCalls: [SHA256Digest: (token: [UInt8], tellers: [Teller])] = [:]
    private var activeCount = 0
    private var line = Line<Waiting>()
    private var breaker = CircuitBreaker()

    init(timeout: Duration, maxConcurrentCount: Int, maxCount: Int) {
        self.timeout = timeout
        self.maxConcurrentCount = maxConcurrentCount
        self.maxCount = maxCount
    }

    // MARK: Asking

    mutating func ask(
        _ token: [UInt8], _ digest: SHA256Digest, _ epoch: UInt64, at now: MonotonicInstant,
        then tell: @escaping Teller
    ) -> Consequences {
        var consequences = Consequences()
        let name = Name(digest: digest, epoch: epoch)
        if calls[name]?.tellers.append(tell) != nil { return consequences }
        if let fault = obstacle(at: now) {
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
        if let fault = obstacle(at: now) {
            consequences.told.append((tell, .init(outcome: .failure(fault), askedAt: now)))
        } else if calls[name] != nil {
            nextCalls[digest] = (token, [tell])
        } else {
            begin(name, token, [tell], at: now, &consequences)
        }
        return consequences
    }

    /// Why no call can be begun now, or nothing.
    private func obstacle(at now: MonotonicInstant) -> AuthorizationServerFault? {
        guard breaker.admits(at: now) else { return .callsSuspended }
        return calls.count + nextCalls.count < maxCount ? nil : .tooManyCalls
    }

    private mutating func begin(
        _ name: Name, _ token: [UInt8], _ tellers: [Teller], at now: MonotonicInstant,
        _ consequences: inout Consequences
    ) {
        calls[name] = Call(begun: now, tellers: tellers)
        let call = Waiting(token: token, deadline: now + timeout, name: name)
        guard activeCount < maxConcurrentCount else { return line.append(call) }
        activeCount += 1
        if !start(call, at: now, &consequences) { passTurn(at: now, &consequences) }
    }

    /// Starts a call whose turn it is, unless it is too late for it.
    private mutating func start(
        _ call: Waiting, at now: MonotonicInstant, _ consequences: inout Consequences
    ) -> Bool {
        guard now < call.deadline else {
            settle(call.name, .failure(.tooManyCalls), at: now, &consequences)
            return false
        }
        guard let permit = breaker.admit(at: now) else {
            settle(call.name, .failure(.callsSuspended), at: now, &consequences)
            return false
        }
        consequences.started.append(
            Started(token: call.token, deadline: call.deadline, name: call.name, permit: permit))
        return true
    }

    // MARK: Ending

    /// Takes what came of a call.
    mutating func end(
        _ call: Started, with outcome: IntrospectionClient.Outcome, at now: MonotonicInstant
    ) -> Consequences {
        var consequences = Consequences()
        switch outcome {
        case .success: noteAnswer(call.permit, &consequences)
        case .failure(let fault): note(fault, call.permit, at: now, &consequences)
        }
        passTurn(at: now, &consequences)
        settle(call.name, outcome, at: now, &consequences)
        return consequences
    }

    /// Tells everybody who shares a call, and begins the one that was put off for it.
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

    /// Gives the turn of a call that has ended to the first in the line that can use it.
    private mutating func passTurn(at now: MonotonicInstant, _ consequences: inout Consequences) {
        while let call = line.popFirst() {
            if start(call, at: now, &consequences) { return }
        }
        activeCount -= 1
    }

    // MARK: The server's health

    private mutating func noteAnswer(_ permit: CircuitBreaker.Permit, _ consequences: inout Consequences) {
        if breaker.succeeded(permit) { consequences.incidents.append(.resumed) }
    }

    private mutating func note(
        _ fault: AuthorizationServerFault, _ permit: CircuitBreaker.Permit, at now: MonotonicInstant,
        _ consequences: inout Consequences
    ) {
        consequences.incidents.append(.failed(fault))
        guard fault.speaksOfServer else { return noteAnswer(permit, &consequences) }
        guard let pause = breaker.failed(permit, at: now) else { return }
        consequences.incidents.append(.suspended(pause))
        while let call = line.popFirst() {
            settle(call.name, .failure(.callsSuspended), at: now, &consequences)
        }
    }
}

extension AuthorizationServerFault {
    /// Whether the next call will very likely fare the same, whatever its token.
    fileprivate var speaksOfServer: Bool {
        switch self {
        case .status(429): true
        case .status(400..<500): false
        default: true
        }
    }
}

/// First come, first served.
struct Line<Element: Sendable>: Sendable {
    private var elements: [Element?] = []
    private var head = 0

    mutating func append(_ element: Element) {
        elements.append(element)
    }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let first = elements[head]
        elements[head] = nil
        head += 1
        if head == elements.count || head >= 256 {
            elements.removeFirst(head)
            head = 0
        }
        return first
    }
}
