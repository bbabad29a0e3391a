// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisTesting
import PortcullisTransport
import Synchronization

/// Records the gate's calls to the outside, in order.
final class CallLog: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }

    /// The calls since the last time this was called.
    func take() -> [String] {
        lines.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }
}

/// Records each exchange with an authorization server, and answers by a script.
final class LoggedFetcher: Fetcher {
    private let script: ScriptedFetcher
    private let calls: CallLog

    init(_ script: ScriptedFetcher, _ calls: CallLog) {
        self.script = script
        self.calls = calls
    }

    func fetch(_ request: FetchRequest) async throws(FetchError) -> FetchResponse {
        calls.add("\(request.method.name) \(request.url)")
        return try await script.fetch(request)
    }
}

/// A shared introspection cache that records how it is used.
final class LoggedCache: IntrospectionCache {
    private struct State {
        var answers: [[UInt8]: (answer: IntrospectedAnswer, moment: MonotonicInstant)] = [:]
        var isUnavailable = false
    }

    private let calls: CallLog
    private let state = Mutex(State())

    private let uptime: @Sendable () -> MonotonicInstant

    init(_ calls: CallLog, uptime: @escaping @Sendable () -> MonotonicInstant) {
        self.calls = calls
        self.uptime = uptime
    }

    func becomeUnavailable() { state.withLock { $0.isUnavailable = true } }

    /// Stores an answer, as another process would.
    func fill(_ tokenHash: [UInt8], _ answer: IntrospectedAnswer) {
        let now = uptime()
        state.withLock { $0.answers[tokenHash] = (answer, now) }
    }

    func recall(_ key: IntrospectionKey) async -> IntrospectionReading {
        let (known, isUnavailable) = state.withLock { ($0.answers[key.tokenHash], $0.isUnavailable) }
        let answer = known.map { known in
            IntrospectedAnswer(
                members: known.answer.members, age: known.answer.age + (uptime() - known.moment),
                lifetime: known.answer.lifetime)
        }
        if isUnavailable {
            calls.add("shared cache: recall, unavailable")
            return .unavailable
        }
        calls.add("shared cache: recall, \(answer == nil ? "missing" : "found")")
        return answer.map { .found($0) } ?? .missing(ticket: 1)
    }

    func remember(_ answer: IntrospectedAnswer, for key: IntrospectionKey, since ticket: UInt64) async {
        let seconds = answer.lifetime.components.seconds
        calls.add("shared cache: remember, \(answer.isActive ? "active" : "inactive") for \(seconds) s")
        fill(key.tokenHash, answer)
    }

    func invalidate(_ invalidation: TokenInvalidation) async throws(IntrospectionCacheUnavailable) {
        calls.add("shared cache: invalidate")
    }

    func observe(_ observer: @escaping @Sendable (TokenInvalidation) -> Bool) {}
}

/// A replay store that may suspend, and records how it is used.
final class LoggedReplayStore: ReplayStore {
    private struct State {
        var records: Set<[UInt8]> = []
        var verdict: ReplayVerdict?
    }

    private let calls: CallLog
    private let state = Mutex(State())

    init(_ calls: CallLog) {
        self.calls = calls
    }

    /// Answers every later insertion with this verdict.
    func answer(_ verdict: ReplayVerdict) { state.withLock { $0.verdict = verdict } }

    func insert(_ record: ReplayRecord) async -> ReplayVerdict {
        await Task.yield()
        let verdict = state.withLock { state in
            state.verdict ?? (state.records.insert(record.identifier).inserted ? .fresh : .replayed)
        }
        calls.add("replay store: insert, \(verdict)")
        return verdict
    }
}
