// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisTransport
internal import Synchronization

/// Listens to the invalidations that any process publishes, and tells those who want to know here.
///
/// Looks after its connection: it is asked for a sign of life every few seconds, and made anew when it is lost. What was published
/// meanwhile is unknown, so that then, and at the start, everything is told to be invalid.
final class RedisSubscription: Sendable {
    private static let interval = Duration.seconds(2)
    /// How many messages may wait to be told.
    private static let maxWaitingCount = 1024
    /// How long one of them may be: a longer one stands for everything, as one does that can't be read.
    private static let maxMessageByteCount = 16_384

    /// What is to be told of what the server says.
    private enum Word: Sendable {
        /// Only from here on it is certain that nothing is missed.
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

    /// Takes on an observer; with the first the connection is made.
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

    /// Keeps one connection at a time until the subscription is stopped.
    private static func keep(_ core: RedisCore, _ channel: [UInt8], _ observers: InvalidationObservers) async
    {
        while !Task.isCancelled {
            let (words, continuation) = AsyncStream.makeStream(
                of: Word.self, bufferingPolicy: .bufferingOldest(maxWaitingCount))
            let connection = await core.listen(
                to: channel,
                { value in
                    guard let word = word(value), case .dropped = continuation.yield(word) else { return }
                    // Whoever has missed one has to begin anew.
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

    /// Asks for a sign of life in turns, so that a server that is gone without a word is noticed.
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
