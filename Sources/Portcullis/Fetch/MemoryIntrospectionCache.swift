// SPDX-License-Identifier: MIT

public import PortcullisJOSE
import Synchronization

/// An introspection cache in the memory of this process, for resources that share an authorization server.
///
/// When it is full, everything is forgotten: that costs one call a token. Tokens that are not active have a table of their own, so that
/// a flood of them displaces no good one.
///
/// RFC 7662 §4.
public final class MemoryIntrospectionCache: IntrospectionCache {
    private struct State {
        var answers: [IntrospectionKey: IntrospectedAnswer] = [:]
        /// Those about tokens that are not active.
        var rejections: [IntrospectionKey: IntrospectedAnswer] = [:]
        /// How many invalidations there were; an answer that was asked for before the last one is not remembered.
        var invalidationCount: UInt64 = 0
    }

    private let capacity: Int
    private let now: @Sendable () -> NumericDate
    private let state = Mutex(State())
    private let observers = InvalidationObservers()

    /// Makes an empty cache.
    ///
    /// - Parameters:
    ///   - capacity: How many answers are remembered. Default 10000.
    ///   - now: The time of day. Default the machine's.
    public init(
        capacity: Int = 10_000, now: @escaping @Sendable () -> NumericDate = TimeSource.system.now
    ) {
        self.capacity = capacity
        self.now = now
    }

    /// What is remembered of a token; does not wait.
    public func recall(_ key: IntrospectionKey) async -> IntrospectionReading {
        let now = now()
        return state.withLock { state in
            if let answer = state.answers[key] ?? state.rejections[key],
                now < answer.askedAt.adding(answer.lifetime)
            {
                return .found(answer)
            }
            return .missing(ticket: state.invalidationCount)
        }
    }

    /// Remembers an answer, unless anything was invalidated since the reading.
    public func remember(
        _ answer: IntrospectedAnswer, for key: IntrospectionKey, since ticket: UInt64
    ) async {
        let dropped = state.withLock { state -> [IntrospectionKey: IntrospectedAnswer] in
            guard state.invalidationCount == ticket, capacity > 0 else { return [:] }
            // What was said of it before is out of date.
            (state.answers[key], state.rejections[key]) = (nil, nil)
            return answer.isActive
                ? Self.insert(answer, key, into: &state.answers, capacity)
                : Self.insert(answer, key, into: &state.rejections, capacity)
        }
        // What is many is let go after the lock.
        _ = dropped
    }

    /// Makes room if there is none; what that displaces is handed back.
    private static func insert(
        _ answer: IntrospectedAnswer, _ key: IntrospectionKey,
        into table: inout [IntrospectionKey: IntrospectedAnswer], _ capacity: Int
    ) -> [IntrospectionKey: IntrospectedAnswer] {
        let old = table.count < capacity ? [:] : table
        if !old.isEmpty { table = [:] }
        table[key] = answer
        return old
    }

    /// Forgets what is remembered and tells the observers, before it returns.
    public func invalidate(
        _ invalidation: TokenInvalidation
    ) async throws(IntrospectionCacheUnavailable) {
        state.withLock { state in
            state.invalidationCount += 1
            state.rejections = [:]
            switch invalidation {
            case .token(let key): state.answers[key] = nil
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

    /// Has a closure told of every invalidation from now on.
    public func observe(_ observer: @escaping @Sendable (TokenInvalidation) -> Bool) {
        observers.add(observer)
    }
}
