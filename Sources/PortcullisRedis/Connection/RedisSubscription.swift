// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisTransport
internal import Synchronization

/// Subscribes to the invalidations that all processes publish, and notifies the observers in this process.
///
/// Sends a PING every 2 seconds, and reconnects when the connection is lost. Because messages may have been
/// missed, it invalidates everything when the connection is lost and whenever a subscription starts.
final class RedisSubscription: Sendable {
    private static let interval = Duration.seconds(2)
    /// The maximum number of undelivered messages.
    private static let maxWaitingCount = 1024
    /// The maximum length of a message; a longer or malformed one invalidates everything.
    private static let maxMessageByteCount = 16_384

    /// A message from the server.
    private enum Message: Sendable {
        /// The subscription is active: no later message is missed.
        case subscribed
        case invalidated([UInt8])
        case refused
    }

    private let core: RedisCore
    private let channel: [UInt8]
    private let observers = InvalidationObservers()
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(_ client: RedisClient) {
        core = client.core
        channel = Self.channel(client)
    }

    static func channel(_ client: RedisClient) -> [UInt8] { client.key("channel") }

    /// Adds an observer; the first one opens the connection.
    func observe(_ observer: @escaping @Sendable (TokenInvalidation) -> Bool) {
        observers.add(observer)
        task.withLock { task in
            guard task == nil else { return }
            task = Task { [core, channel, observers] in await Self.run(core, channel, observers) }
        }
    }

    func tell(_ invalidation: TokenInvalidation) {
        observers.tell(invalidation)
    }

    func stop() {
        task.withLock { $0 }?.cancel()
    }

    /// Keeps one connection open until the subscription is stopped.
    private static func run(_ core: RedisCore, _ channel: [UInt8], _ observers: InvalidationObservers) async {
        while !Task.isCancelled {
            let (messages, continuation) = AsyncStream.makeStream(
                of: Message.self, bufferingPolicy: .bufferingOldest(maxWaitingCount))
            let connection = await core.listen(
                to: channel,
                { value in
                    guard let message = parse(value), case .dropped = continuation.yield(message) else {
                        return
                    }
                    // After a dropped message the state is unknown: reconnect and invalidate everything.
                    continuation.finish()
                },
                ended: { _ in continuation.finish() })
            let pingTask = Task { await pingPeriodically(connection, core) }
            await withTaskCancellationHandler {
                listening: for await message in messages {
                    switch message {
                    case .subscribed: observers.tell(.all)
                    case .invalidated(let payload): observers.tell(InvalidationMessage.decode(payload))
                    case .refused:
                        await core.subscriptionRefused()
                        break listening
                    }
                }
            } onCancel: {
                core.loop.execute { connection.assumeIsolated { $0.close() } }
            }
            pingTask.cancel()
            core.loop.execute { connection.assumeIsolated { $0.close() } }
            guard !Task.isCancelled else { return }
            observers.tell(.all)
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Sends PINGs, to detect a server that disappeared without closing the connection.
    private static func pingPeriodically(_ connection: RedisConnection, _ core: RedisCore) async {
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

    private static func parse(_ value: RESPValue) -> Message? {
        if case .error = value { return .refused }
        guard case .array(let parts) = value, let kind = parts.first?.payload else { return nil }
        switch kind {
        case Array("subscribe".utf8): return .subscribed
        case Array("message".utf8) where parts.count == 3:
            let payload = parts[2].payload ?? []
            return .invalidated(payload.count <= maxMessageByteCount ? payload : [])
        default: return nil
        }
    }
}
