// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP
internal import PortcullisTransport
internal import Synchronization

/// The counters of one event loop.
///
/// Only the loop and rare snapshots take the lock, so it is uncontended.
final class LoopCounters: ServerMetricsRecorder {
    private let counts = Mutex(ServerCounts())

    var snapshot: ServerCounts { counts.withLock { $0 } }

    func record(_ event: ServerEvent) {
        counts.withLock { $0.add(event) }
    }
}

/// The counts so far; those of several loops can be added.
struct ServerCounts: Sendable {
    struct Series: Sendable, Hashable {
        let route: String
        let method: String
        let status: Int
    }

    /// The methods that get their own series; clients may invent others, and must not make the table grow.
    static let methods: Set<String> = [
        "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
    ]

    var requests: [Series: UInt64] = [:]
    var latencies: [String: Histogram] = [:]
    var incompleteCount: UInt64 = 0
    var receivedByteCount: UInt64 = 0
    var sentByteCount: UInt64 = 0
    var refusals: [RefusalReason: UInt64] = [:]
    var malformations: [MalformedMessage: UInt64] = [:]
    var openedCount: UInt64 = 0
    var closedCount: UInt64 = 0
    var shedCount: UInt64 = 0
    var timeouts: [TimeoutKind: UInt64] = [:]
    var handshakes: [HandshakeOutcome: UInt64] = [:]
    var holds: [String: UInt64] = [:]
    /// The last measured lag of each loop.
    var lags: [Duration] = []

    mutating func add(_ event: ServerEvent) {
        switch event {
        case .connectionOpened: openedCount += 1
        case .connectionClosed: closedCount += 1
        case .connectionShed: shedCount += 1
        case .requestFinished(let summary): add(summary)
        case .timedOut(let kind): timeouts[kind, default: 0] += 1
        case .handshakeEnded(let outcome): handshakes[outcome, default: 0] += 1
        case .loopHeld(let route, _): holds[route, default: 0] += 1
        case .loopLag(let lag): lags = [lag]
        }
    }

    private mutating func add(_ summary: RequestSummary) {
        let name = summary.method.name
        let series = Series(
            route: summary.route, method: Self.methods.contains(name) ? name : "other",
            status: summary.status?.code ?? 0)
        requests[series, default: 0] += 1
        latencies[summary.route, default: Histogram()].add(summary.duration)
        if !summary.isComplete { incompleteCount += 1 }
        receivedByteCount += UInt64(clamping: summary.receivedByteCount)
        sentByteCount += UInt64(clamping: summary.sentByteCount)
        if let refusal = summary.refusal { refusals[refusal, default: 0] += 1 }
        if let malformation = summary.malformation { malformations[malformation, default: 0] += 1 }
    }

    mutating func merge(_ other: ServerCounts) {
        requests.merge(other.requests, uniquingKeysWith: +)
        latencies.merge(other.latencies) { $0.merged(with: $1) }
        incompleteCount += other.incompleteCount
        receivedByteCount += other.receivedByteCount
        sentByteCount += other.sentByteCount
        refusals.merge(other.refusals, uniquingKeysWith: +)
        malformations.merge(other.malformations, uniquingKeysWith: +)
        openedCount += other.openedCount
        closedCount += other.closedCount
        shedCount += other.shedCount
        timeouts.merge(other.timeouts, uniquingKeysWith: +)
        handshakes.merge(other.handshakes, uniquingKeysWith: +)
        holds.merge(other.holds, uniquingKeysWith: +)
        lags += other.lags.isEmpty ? [.zero] : other.lags
    }
}

/// A histogram of durations.
struct Histogram: Sendable {
    /// The upper bounds in microseconds.
    static let bounds: [UInt64] = [
        100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
        2_500_000, 5_000_000, 10_000_000,
    ]

    /// One for each bound, and one for durations above all bounds.
    private(set) var buckets = [UInt64](repeating: 0, count: bounds.count + 1)
    private(set) var sumNanoseconds: UInt64 = 0

    var count: UInt64 { buckets.reduce(0, +) }

    mutating func add(_ duration: Duration) {
        let nanoseconds = duration.wholeNanoseconds
        let index = Self.bounds.firstIndex { nanoseconds <= $0 * 1000 } ?? Self.bounds.count
        buckets[index] += 1
        sumNanoseconds &+= nanoseconds
    }

    func merged(with other: Histogram) -> Histogram {
        var sum = self
        for index in buckets.indices { sum.buckets[index] += other.buckets[index] }
        sum.sumNanoseconds &+= other.sumNanoseconds
        return sum
    }
}
