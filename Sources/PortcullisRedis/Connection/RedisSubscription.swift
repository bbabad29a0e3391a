// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisTransport
internal import Synchronization

/// Subscribes to the invalidations that all processes publish, and notifies the observers in this process.
///
/// Sends a PING every 2 seconds and reconnects after a loss. Messages may have been missed meanwhile, so it
/// then invalidates everything, and also at the start.
final class RedisSubscription: Sendable {
    private static let interval = Duration.seconds(2)
    /// The maximum number of undelivered messages.
    private static let maxWaitingCount = 1024
    /// The maximum length of a message; a longer or malformed one invalidates everything.
    private static let maxMessageByteCount = 16_384

    /// A message of the server.
    private enum Word: Sendable {
        /// The subscription is active; from here on no message is missed.
        case subscribed
        case invalidated([UInt8])
        case refused
    }

    private let core: RedisCore
    private let channel: [UInt8]
    private let observers = InvalidationObservers()
    private let keeper = Mutex<Task<Void, Never>?>(nil)

    init(_ client: RedisClient) {
        core = client.core
        channel = Self.channel(client)
    }

    static func channel(_ client: RedisClient) -> [UInt8] { client.key("channel") }

    /// Adds an observer; the first one opens the connection.
    func observe(_ observer: @escaping @Sendable (TokenInvalidation) -> Bool) {
        observers.add(observer)
        keeper.withLock { keeper in
            guard keeper == nil else { return }
            keeper = Task { [core, channel, observers] in await Self.keep(core, channel, observers) }
        }
    }

    func tell(_ invalidation: TokenInvalidation) {
        observers.tell(invalidation)
    }

    func stop() {
        keeper.withLock { $0 }?.cancel()
    }

    /// Keeps one connection open until the subscription is stopped.
    private static func keep(_ core: RedisCore, _ channel: [UInt8], _ observers: InvalidationObservers) async
    {
        while !Task.isCancelled {
            let (words, continuation) = AsyncStream.makeStream(
                of: Word.self, bufferingPolicy: .bufferingOldest(maxWaitingCount))
            let connection = await core.listen(
                to: channel,
                { value in
                    guard let word = word(value), case .dropped = continuation.yield(word) else { return }
                    // After a dropped message the state is unknown: reconnect and invalidate everything.
                    continuation.finish()
                },
                ended: { _ in continuation.finish() })
            let pulse = Task { await beat(connection, core) }
            await withTaskCancellationHandler {
                listening: for await word in words {
                    switch word {
                    case .subscribed: observers.tell(.all)
                    case .invalidated(let message): observers.tell(InvalidationMessage.decode(message))
                    case .refused:
                        await core.subscriptionRefused()
                        break listening
                    }
                }
            } onCancel: {
                core.loop.execute { connection.assumeIsolated { $0.close() } }
            }
            pulse.cancel()
            core.loop.execute { connection.assumeIsolated { $0.close() } }
            guard !Task.isCancelled else { return }
            observers.tell(.all)
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Sends PINGs at an interval, to detect a server that disappeared without closing the connection.
    private static func beat(_ connection: RedisConnection, _ core: RedisCore) async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: interval)
            } catch {
                return
            }
            core.loop.execute {
                connection.assumeIsolated { $0.expectSignOfLife(within: interval) }
            }
        }
    }

    private static func word(_ value: RESPValue) -> Word? {
        if case .error = value { return .refused }
        guard case .array(let parts) = value, let kind = parts.first?.payload else { return nil }
        switch kind {
        case Array("subscribe".utf8): return .subscribed
        case Array("message".utf8) where parts.count == 3:
            let message = parts[2].payload ?? []
            return .invalidated(message.count <= maxMessageByteCount ? message : [])
        default: return nil
        }
    }
}
