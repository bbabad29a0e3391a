// SPDX-License-Identifier: MIT

import PortcullisJOSE
public import PortcullisTransport
import Synchronization

/// An introspection cache in the memory of this process, for resources that share an authorization server.
///
/// When it is full, it is emptied, which costs one call per token. Inactive tokens have a separate table, so
/// that a flood of them evicts no active one.
///
/// RFC 7662 §4.
public final class MemoryIntrospectionCache: IntrospectionCache {
    private struct Entry {
        let members: JSONObject
        let askedAt: MonotonicInstant
        let lifetime: Duration

        init(_ answer: IntrospectedAnswer, at now: MonotonicInstant) {
            members = answer.members
            askedAt =
                MonotonicInstant(nanoseconds: 0)
                + max(now - MonotonicInstant(nanoseconds: 0) - answer.age, .zero)
            lifetime = answer.lifetime
        }

        /// Returns the answer, unless it has expired.
        func answer(at now: MonotonicInstant) -> IntrospectedAnswer? {
            let age = now - askedAt
            return age < lifetime
                ? IntrospectedAnswer(members: members, age: age, lifetime: lifetime) : nil
        }
    }

    private struct State {
        var answers: [IntrospectionKey: Entry] = [:]
        /// The answers about inactive tokens.
        var rejections: [IntrospectionKey: Entry] = [:]
        /// The number of invalidations; an answer requested before the last one is not stored.
        var invalidationCount: UInt64 = 0
    }

    private let capacity: Int
    private let uptime: @Sendable () -> MonotonicInstant
    private let state = Mutex(State())
    private let observers = InvalidationObservers()

    /// Makes an empty cache.
    ///
    /// - Parameters:
    ///   - capacity: The maximum number of answers per table. Default 10000.
    ///   - uptime: A monotonic clock. Default the system's.
    public init(
        capacity: Int = 10_000, uptime: @escaping @Sendable () -> MonotonicInstant = TimeSource.system.uptime
    ) {
        self.capacity = capacity
        self.uptime = uptime
    }

    /// Looks up the answer for a token; does not wait.
    public func recall(_ key: IntrospectionKey) async -> IntrospectionReading {
        let now = uptime()
        return state.withLock { state in
            if let answer = (state.answers[key] ?? state.rejections[key])?.answer(at: now) {
                return .found(answer)
            }
            return .missing(ticket: state.invalidationCount)
        }
    }

    /// Stores an answer, unless anything was invalidated since the reading.
    public func remember(
        _ answer: IntrospectedAnswer, for key: IntrospectionKey, since ticket: UInt64
    ) async {
        let entry = Entry(answer, at: uptime())
        let dropped = state.withLock { state -> [IntrospectionKey: Entry] in
            guard state.invalidationCount == ticket, capacity > 0 else { return [:] }
            // An earlier answer is obsolete.
            (state.answers[key], state.rejections[key]) = (nil, nil)
            return answer.isActive
                ? Self.insert(entry, key, into: &state.answers, capacity)
                : Self.insert(entry, key, into: &state.rejections, capacity)
        }
        // The evicted entries are released after the lock, since they may be many.
        _ = dropped
    }

    /// Inserts an entry; if the table was full, empties it and returns its entries.
    private static func insert(
        _ entry: Entry, _ key: IntrospectionKey, into table: inout [IntrospectionKey: Entry], _ capacity: Int
    ) -> [IntrospectionKey: Entry] {
        let old = table.count < capacity ? [:] : table
        if !old.isEmpty { table = [:] }
        table[key] = entry
        return old
    }

    /// Removes the matching answers and calls the observers, before it returns.
    public func invalidate(
        _ invalidation: TokenInvalidation
    ) async throws(IntrospectionCacheUnavailable) {
        state.withLock { state in
            state.invalidationCount += 1
            state.rejections = [:]
            switch invalidation {
            case .token(let hash, let issuer):
                state.answers = state.answers.filter { key, _ in
                    key.tokenHash != hash || !key.issuer.utf8.elementsEqual(issuer.utf8)
                }
            case .subject(let subject, let issuer):
                state.answers = state.answers.filter { key, answer in
                    !key.issuer.utf8.elementsEqual(issuer.utf8)
                        || answer.members["sub"]?.string?.utf8.elementsEqual(subject.utf8) != true
                }
            case .all: state.answers = [:]
            }
        }
        observers.tell(invalidation)
    }

    /// Calls a closure with every later invalidation.
    public func observe(_ observer: @escaping @Sendable (TokenInvalidation) -> Bool) {
        observers.add(observer)
    }
}
