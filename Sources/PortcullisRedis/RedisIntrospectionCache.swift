// SPDX-License-Identifier: MIT

public import Portcullis
internal import Synchronization

/// Shares introspection answers and invalidations between processes through Redis or Valkey.
///
/// Answers are stored as JSON under hashes of tokens until they expire. An invalidation is published to all
/// processes; a process that lost its connection clears its own cache, since it may have missed some. While
/// the store is unreachable, every token is introspected. Does not support Redis Cluster, since its scripts
/// use several keys.
///
/// RFC 7662 §4.
public final class RedisIntrospectionCache: IntrospectionCache {
    private let client: RedisClient
    private let subscription: RedisSubscription

    /// Creates a cache on a server.
    public init(_ client: RedisClient) {
        self.client = client
        subscription = RedisSubscription(client)
    }

    deinit {
        subscription.stop()
    }

    /// Reads the answer for a token; waits at most for the client's timeout.
    public func recall(_ key: IntrospectionKey) async -> IntrospectionReading {
        do throws(RedisFailure) {
            let names = IntrospectionNames(client, key)
            let reply = try await client.execute(
                IntrospectionScript.recall(keys: [names.entry, names.counter, names.everything]))
            guard case .array(let values) = reply, values.count == 4 else { return .unavailable }
            let ticket = Self.number(values[1])
            if let bytes = values[0].payload, let entry = IntrospectionEntry(bytes),
                entry.ticket >= Self.number(values[entry.isActive ? 2 : 1]),
                let answer = entry.answer(left: .milliseconds(Self.number(values[3])))
            {
                return .found(answer)
            }
            return .missing(ticket: ticket)
        } catch {
            return .unavailable
        }
    }

    /// Stores an answer, unless it was invalidated since the reading; does nothing if the store is
    /// unreachable.
    public func remember(
        _ answer: IntrospectedAnswer, for key: IntrospectionKey, since ticket: UInt64
    ) async {
        let names = IntrospectionNames(client, key)
        let subject = answer.members["sub"]?.string ?? ""
        let subjectNames = names.subject(subject)
        // The remaining lifetime, from now on.
        let milliseconds = Int64((answer.lifetime - answer.age) / .milliseconds(1))
        guard milliseconds > 0 else { return }
        let entry = IntrospectionEntry(answer, ticket: ticket).bytes
        guard answer.isActive else {
            _ = try? await client.execute(
                IntrospectionScript.reject(
                    keys: [names.entry, names.counter],
                    [Array("\(ticket)".utf8), entry, Array("\(milliseconds)".utf8)]))
            return
        }
        _ = try? await client.execute(
            IntrospectionScript.remember(
                keys: [
                    names.entry, names.token.marker, subjectNames.marker, names.everything,
                    subjectNames.index,
                    names.token.index,
                ],
                [Array("\(ticket)".utf8), entry, Array("\(milliseconds)".utf8)]))
    }

    /// Deletes the answers from the store and notifies every subscribed process, this one included.
    public func invalidate(
        _ invalidation: TokenInvalidation
    ) async throws(IntrospectionCacheUnavailable) {
        // This process must be notified even if the store is unreachable.
        subscription.tell(invalidation)
        let script = IntrospectionScript.invalidate(invalidation, client)
        do throws(RedisFailure) {
            if case .error = try await client.execute(script) { throw .unavailable }
        } catch {
            throw IntrospectionCacheUnavailable()
        }
    }

    /// Calls a closure for every invalidation from now on, until it returns `false`.
    public func observe(_ observer: @escaping @Sendable (TokenInvalidation) -> Bool) {
        subscription.observe(observer)
    }

    private static func number(_ value: RESPValue) -> UInt64 {
        value.payload.flatMap { UInt64(String(decoding: $0, as: UTF8.self)) } ?? 0
    }
}
