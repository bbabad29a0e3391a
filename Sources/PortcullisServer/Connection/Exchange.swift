// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport

/// One request of a connection on its way to an answer.
struct Exchange {
    let id: UInt64
    let version: HTTPVersion
    let isHead: Bool
    /// Whether another request may follow on the connection.
    var keepAlive: Bool
    /// The client waits for a word before it sends the body.
    ///
    /// RFC 9110 §10.1.1.
    var owesContinue: Bool
    var hasBegunStreaming = false
    /// Whether the streamed answer is sent in chunks; in HTTP/1.0 the connection's end is its end.
    var isChunked = false
    /// How often content was written since the loop last had time for others.
    var writesInTurn = 0
    var bodyClock = BodyClock()

    init(id: UInt64, version: HTTPVersion, isHead: Bool, keepAlive: Bool, owesContinue: Bool) {
        self.id = id
        self.version = version
        self.isHead = isHead
        self.keepAlive = keepAlive
        self.owesContinue = owesContinue
    }
}

/// What an exchange has only when its answer is not there at once; most have none of it.
///
/// Apart from ``Exchange``, which is then a few plain values that cost nothing to copy.
final class PendingExchange {
    /// The head of a streamed answer, while it is not known whether the client will be asked for its body first.
    var heldHead: ResponseHead?
    var task: Task<Void, Never>?
    /// The route whose handler the task runs.
    var taskRoute: CompiledRoute?
    var bodyWaiter: CheckedContinuation<[UInt8]?, any Error>?
    var writeWaiters: [CheckedContinuation<Void, any Error>] = []
    /// The file that is being answered with, or what is left of it.
    var file: FileTransfer?
}

/// How long a handler has waited for a body, and what came meanwhile.
struct BodyClock {
    private var waited = Duration.zero
    private var waitingSince: MonotonicInstant?
    private var byteCount = 0

    mutating func beginWaiting(_ now: MonotonicInstant) {
        waitingSince = now
    }

    mutating func endWaiting(_ now: MonotonicInstant) {
        guard let waitingSince else { return }
        waited += now - waitingSince
        self.waitingSince = nil
    }

    mutating func received(_ count: Int) {
        byteCount += count
    }

    /// Whether the client is slower than it may be, not counting what it gets for a start.
    func isTooSlow(_ limits: Server.Limits) -> Bool {
        let counted = waited - limits.bodyRateGracePeriod
        guard counted > .zero else { return false }
        let owed = Double(counted.wholeNanoseconds) / 1e9 * Double(limits.minBodyBytesPerSecond)
        return Double(byteCount) < owed
    }
}
