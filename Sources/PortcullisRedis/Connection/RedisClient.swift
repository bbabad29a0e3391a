// SPDX-License-Identifier: MIT

package import PortcullisTransport
internal import Synchronization

/// A client of one Redis or Valkey server, which connects on demand and reconnects after a loss.
///
/// Stores on the same server share a client. Commands are pipelined over one connection. While the server is
/// unreachable, commands fail at once, and the client reconnects after 0.1, 0.2, 0.4, … seconds, at most 2.
public final class RedisClient: Sendable {
    let core: RedisCore
    let prefix: [UInt8]
    private let loops: EventLoopGroup
    private let watch: Task<Void, Never>?

    /// Creates a client.
    ///
    /// With `onEvent` the client connects at once and sends a PING every 2 seconds; without it, it connects
    /// on the first command.
    ///
    /// - Parameters:
    ///   - configuration: The server, its credentials and its TLS.
    ///   - onEvent: Called on outages and recoveries. Must not block. Default `nil`.
    /// - Throws: ``RedisConfigurationError`` for an invalid URL and for certificates that cannot be read.
    public convenience init(
        _ configuration: RedisConfiguration, onEvent: (@Sendable (RedisEvent) -> Void)? = nil
    ) throws(RedisConfigurationError) {
        try self.init(configuration, resolver: Resolver(), onEvent: onEvent)
    }

    /// Creates a client with a custom resolver.
    package init(
        _ configuration: RedisConfiguration, resolver: Resolver,
        onEvent: (@Sendable (RedisEvent) -> Void)? = nil
    ) throws(RedisConfigurationError) {
        let location = try RedisLocation(configuration.url)
        let tls =
            location.origin.isEncrypted
            ? ClientTLS(trusting: configuration.roots, presenting: configuration.identity) : nil
        if let problem = tls?.problem { throw .tls(problem) }
        // Read the system's roots now, since the first command has only half a second.
        tls?.whenReady { _ in }
        do throws(SocketError) {
            loops = try EventLoopGroup(count: 1)
        } catch {
            throw .unavailable(error.code)
        }
        prefix = Array(configuration.keyPrefix.utf8)
        let core = RedisCore(
            on: loops.next(), to: location.origin, tls: tls,
            greeting: RedisGreeting(configuration, database: location.database),
            timeout: configuration.timeout, resolver: resolver, reporting: onEvent ?? { _ in })
        self.core = core
        watch = onEvent.map { onEvent in Task { await RedisWatch(core: core, onEvent: onEvent).keep() } }
    }

    deinit {
        watch?.cancel()
        let loops = loops
        core.shutDown { loops.shutDown() }
    }

    /// Whether the server answered the last command.
    public var isAvailable: Bool { core.isUp.load(ordering: .relaxed) }

    /// Sends a command and waits for the reply, at most for the configured timeout.
    package func execute(_ words: [[UInt8]]) async throws(RedisFailure) -> RESPValue {
        try await core.execute(words)
    }

    /// The name of a key or channel: the prefix, a word, and any bytes.
    func key(_ word: String, _ rest: [UInt8] = []) -> [UInt8] { prefix + Array(word.utf8) + rest }
}
