// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP
internal import PortcullisTransport
internal import Synchronization

/// The counters of one event loop.
///
/// Only the loop and rare snapshots take the lock, so it is uncontended.
final class LoopCounters: ServerMetricsRecorder {
    private let counts: Mutex<ServerCounts>

    /// - Parameter keepsOldNames: Whether the series of version 0.1 are counted too.
    init(keepsOldNames: Bool) {
        counts = Mutex(ServerCounts(keepsOldNames: keepsOldNames))
    }

    var snapshot: ServerCounts { counts.withLock { $0 } }

    func record(_ event: ServerEvent) {
        counts.withLock { $0.add(event) }
    }
}

/// The counts so far; those of several loops can be added.
struct ServerCounts: Sendable {
    /// The attributes of a request.
    ///
    /// OpenTelemetry semantic conventions, HTTP metrics.
    struct Series: Sendable, Hashable {
        /// The pattern of the route, or a fixed word for what has none.
        let route: String
        let method: String
        /// 0: there was no response.
        let status: Int
        let isEncrypted: Bool
        let protocolVersion: String?
        let error: ErrorType?
    }

    /// Why a request failed on the server's side; a refusal of a client's request is no failure.
    enum ErrorType: Sendable, Hashable {
        case status(Int)
        case timeout
        case clientDisconnected

        init?(_ summary: RequestSummary) {
            guard let status = summary.status else {
                self = .clientDisconnected
                return
            }
            if status.code >= 500 {
                self = .status(status.code)
            } else if status == .requestTimeout {
                self = .timeout
            } else if !summary.isComplete {
                self = .clientDisconnected
            } else {
                return nil
            }
        }
    }

    /// The methods that get their own series; clients may invent others, and must not make the table grow.
    static let methods: Set<String> = [
        "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
    ]
    /// The name of all other methods.
    static let otherMethod = "_OTHER"

    /// Whether the series of version 0.1 are counted too.
    var keepsOldNames = false
    var durations: [Series: DurationHistogram] = [:]
    /// The durations by route, with the bounds of version 0.1.
    var oldDurations: [String: DurationHistogram] = [:]
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
            route: summary.route, method: Self.methods.contains(name) ? name : Self.otherMethod,
            status: summary.status?.code ?? 0, isEncrypted: summary.isEncrypted,
            protocolVersion: summary.protocolVersion, error: ErrorType(summary))
        durations[series, default: DurationHistogram()].add(summary.duration)
        if keepsOldNames {
            oldDurations[summary.route, default: DurationHistogram(bounds: Self.oldBounds)]
                .add(summary.duration)
        }
        if !summary.isComplete { incompleteCount += 1 }
        receivedByteCount += UInt64(clamping: summary.receivedByteCount)
        sentByteCount += UInt64(clamping: summary.sentByteCount)
        if let refusal = summary.refusal { refusals[refusal, default: 0] += 1 }
        if let malformation = summary.malformation { malformations[malformation, default: 0] += 1 }
    }

    /// In microseconds.
    private static let oldBounds: [UInt64] = [
        100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
        2_500_000, 5_000_000, 10_000_000,
    ]

    mutating func merge(_ other: ServerCounts) {
        for (series, histogram) in other.durations { durations[series, default: .init()].add(histogram) }
        for (route, histogram) in other.oldDurations {
            oldDurations[route, default: DurationHistogram(bounds: Self.oldBounds)].add(histogram)
        }
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
