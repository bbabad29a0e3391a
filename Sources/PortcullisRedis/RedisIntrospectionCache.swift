// SPDX-License-Identifier: MIT

public import Portcullis
internal import Synchronization

/// Shares introspection answers and invalidations between processes through Redis or Valkey.
///
/// Answers are kept as JSON under hashes of tokens until they end. An invalidation is published to all processes at once; one that was
/// cut off from the store forgets everything that it remembers, since it may have missed some. While the store can't be reached,
/// authorization servers are asked. Uses several keys at a time, which a cluster of stores does not allow.
///
/// RFC 7662 §4.
public final class RedisIntrospectionCache: IntrospectionCache {
    private let client: RedisClient
    private let subscription: RedisSubscription

    /// Makes a cache on a server.
    public init(_ client: RedisClient) {
        self.client = client
        subscription = RedisSubscription(client)
    }

    deinit {
        subscription.stop()
    }

    /// What is remembered of a token; waits at most for the client's timeout.
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

    /// Remembers an answer, unless it was invalidated since the reading; if the store can't be reached it is lost.
    public func remember(
        _ answer: IntrospectedAnswer, for key: IntrospectionKey, since ticket: UInt64
    ) async {
        let names = IntrospectionNames(client, key)
        let subject = answer.members["sub"]?.string ?? ""
        let subjectNames = names.subject(subject)
        // What is left of its time: the store counts from now on.
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

    /// Forgets in the store and tells every process that listens, this one included.
    public func invalidate(
        _ invalidation: TokenInvalidation
    ) async throws(IntrospectionCacheUnavailable) {
        // Here it holds even if nobody else can be told.
        subscription.tell(invalidation)
        let script = IntrospectionScript.invalidate(invalidation, client)
        do throws(RedisFailure) {
            if case .error = try await client.execute(script) { throw .unavailable }
        } catch {
            throw IntrospectionCacheUnavailable()
        }
    }

    /// Has a closure told of every invalidation from now on, until it answers that it wants no more.
    public func observe(_ observer: @escaping @Sendable (TokenInvalidation) -> Bool) {
        subscription.observe(observer)
    }

    private static func number(_ value: RESPValue) -> UInt64 {
        value.payload.flatMap { UInt64(String(decoding: $0, as: UTF8.self)) } ?? 0
    }
}
