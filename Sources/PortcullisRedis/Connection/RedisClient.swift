// SPDX-License-Identifier: MIT

package import PortcullisTransport
internal import Synchronization

/// A connection to one Redis or Valkey server that is made when it is needed, and made again when it is lost.
///
/// Shared by the stores that use the same server. Commands of many requests travel together. While the server is away, commands
/// fail at once, and an attempt is made after 0.1, 0.2, 0.4, … seconds, at most every 2.
public final class RedisClient: Sendable {
    let core: RedisCore
    let prefix: [UInt8]
    private let loops: EventLoopGroup
    private let watch: Task<Void, Never>?

    /// Makes a client.
    ///
    /// Connects when it is needed, and at once where somebody wants to know how the server is: then it is asked for a sign of life
    /// every 2 seconds.
    ///
    /// - Parameters:
    ///   - configuration: The server, its credentials and its TLS.
    ///   - onEvent: Called when the server goes away and when it is back. Must not wait. Default `nil`.
    /// - Throws: ``RedisConfigurationError`` for a URL of another form, and for certificates that can't be read.
    public convenience init(
        _ configuration: RedisConfiguration, onEvent: (@Sendable (RedisEvent) -> Void)? = nil
    ) throws(RedisConfigurationError) {
        try self.init(configuration, resolver: Resolver(), onEvent: onEvent)
    }

    /// Makes a client that looks names up in a way of the caller's.
    package init(
        _ configuration: RedisConfiguration, resolver: Resolver,
        onEvent: (@Sendable (RedisEvent) -> Void)? = nil
    ) throws(RedisConfigurationError) {
        let location = try RedisLocation(configuration.url)
        let tls =
            location.origin.isEncrypted
            ? ClientTLS(trusting: configuration.roots, presenting: configuration.identity) : nil
        if let problem = tls?.problem { throw .tls(problem) }
        // The system's roots are read while there is time: the first command has but half a second.
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

    /// Whether the server has answered the last command.
    public var isAvailable: Bool { core.isUp.load(ordering: .relaxed) }

    /// Sends a command and waits for the answer, at most for the configured time.
    package func execute(_ words: [[UInt8]]) async throws(RedisFailure) -> RESPValue {
        try await core.execute(words)
    }

    /// The name of a key or channel: the prefix, a word, and any bytes.
    func key(_ word: String, _ rest: [UInt8] = []) -> [UInt8] { prefix + Array(word.utf8) + rest }
}
