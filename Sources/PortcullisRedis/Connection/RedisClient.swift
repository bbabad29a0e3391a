// SPDX-License-Identifier: MIT

internal import PortcullisTransport

/// A connection to one Redis or Valkey server that is made when it is needed, and made again when it is lost.
///
/// Shared by the stores that use the same server. Commands of many requests travel together. While the server is away, commands
/// fail at once, and an attempt is made after 0.1, 0.2, 0.4, … seconds, at most every 2.
public final class RedisClient: Sendable {
    let core: RedisCore
    let prefix: [UInt8]
    private let loops: EventLoopGroup

    /// Makes a client; does not connect yet.
    ///
    /// - Throws: ``RedisConfigurationError`` for a URL of another form, and for certificates that can't be read.
    public init(_ configuration: RedisConfiguration) throws(RedisConfigurationError) {
        let origin = try Self.origin(of: configuration.url)
        var context: TLSContext?
        if origin.isEncrypted {
            do throws(TLSError) {
                context = try TLSContext(
                    clientTrusting: configuration.roots, presenting: configuration.identity)
            } catch {
                throw .tls(error)
            }
        }
        do throws(SocketError) {
            loops = try EventLoopGroup(count: 1)
        } catch {
            throw .unavailable(error.code)
        }
        prefix = Array(configuration.keyPrefix.utf8)
        core = RedisCore(
            on: loops.next(), to: origin, tls: context, credentials: Self.credentials(configuration),
            timeout: configuration.timeout)
    }

    deinit {
        let loops = loops
        core.shutDown { loops.shutDown() }
    }

    private static func origin(of url: String) throws(RedisConfigurationError) -> Origin {
        for (scheme, standIn) in [("redis://", "http://"), ("rediss://", "https://")]
        where url.utf8.starts(with: scheme.utf8) {
            do throws(HTTPClientError) {
                let rest = String(decoding: url.utf8.dropFirst(scheme.utf8.count), as: UTF8.self)
                let parsed = try RequestURL(standIn + rest)
                // Without a port the stand-in's would be taken.
                guard parsed.target == "/", rest.utf8.last.map({ (0x30...0x39).contains($0) }) == true,
                    rest.utf8.contains(0x3A)
                else { throw .invalidURL }
                return parsed.origin
            } catch {
                throw .invalidURL
            }
        }
        throw .invalidURL
    }

    private static func credentials(_ configuration: RedisConfiguration) -> [[UInt8]] {
        guard let password = configuration.password else { return [] }
        return [Array("AUTH".utf8)] + (configuration.username.map { [Array($0.utf8)] } ?? [])
            + [Array(password.utf8)]
    }

    /// Sends a command and waits for the answer, at most for the configured time.
    package func execute(_ words: [[UInt8]]) async throws(RedisFailure) -> RESPValue {
        let command = RESPCommand.encode(words)
        let core = core
        let reply = await withCheckedContinuation { continuation in
            core.loop.execute {
                core.assumeIsolated { $0.send(command) { continuation.resume(returning: $0) } }
            }
        }
        return try reply.get()
    }

    /// The name of a key or channel: the prefix, a word, and any bytes.
    func key(_ word: String, _ rest: [UInt8] = []) -> [UInt8] { prefix + Array(word.utf8) + rest }
}

/// The state of a client, on its loop.
actor RedisCore {
    private static let firstPause = Duration.milliseconds(100)
    private static let longestPause = Duration.seconds(2)

    nonisolated let loop: EventLoop
    private let origin: Origin
    private let tls: (context: TLSContext, identity: ServerIdentity)?
    private let credentials: [[UInt8]]
    private let timeout: Duration
    private let resolver = Resolver()
    private var connection: RedisConnection?
    private var hasAnswered = false
    private var pause = firstPause
    private var nextAttempt = MonotonicInstant(nanoseconds: 0)

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(
        on loop: EventLoop, to origin: Origin, tls context: TLSContext?, credentials: [[UInt8]],
        timeout: Duration
    ) {
        self.loop = loop
        self.origin = origin
        tls = context.map { ($0, origin.serverIdentity) }
        self.credentials = credentials
        self.timeout = timeout
    }

    /// Sends a command over the connection that there is, or over a new one.
    func send(_ command: [UInt8], _ receive: @escaping @Sendable (RedisConnection.Reply) -> Void) {
        guard let connection = connection ?? connect() else { return receive(.failure(.unavailable)) }
        let deadline = loop.now + timeout
        connection.assumeIsolated { $0.send(command, before: deadline, receive) }
    }

    /// Opens a connection that listens to a channel.
    ///
    /// - Parameter ended: Is called once when it is lost, or could not be made.
    func listen(
        to channel: [UInt8], _ take: @escaping @Sendable (RESPValue) -> Void,
        ended: @escaping @Sendable () -> Void
    ) -> RedisConnection {
        let connection = RedisConnection(on: loop, tls: tls, unasked: take, ended: ended)
        start(connection)
        connection.assumeIsolated { $0.listen(RESPCommand.encode([Array("SUBSCRIBE".utf8), channel])) }
        return connection
    }

    nonisolated func shutDown(_ then: @escaping @Sendable () -> Void) {
        loop.execute {
            self.assumeIsolated { core in
                core.connection?.assumeIsolated { $0.close() }
                core.nextAttempt = .distantFuture
            }
            then()
        }
    }

    private func connect() -> RedisConnection? {
        guard loop.now >= nextAttempt else { return nil }
        let connection = RedisConnection(
            on: loop, tls: tls,
            ended: { [weak self] in self?.assumeIsolated { $0.connectionEnded() } })
        self.connection = connection
        hasAnswered = false
        start(connection)
        return self.connection
    }

    private func start(_ connection: RedisConnection) {
        // Commands wait in the connection until it is open; the first of them says who we are.
        let deadline = loop.now + timeout
        let greeting = credentials.isEmpty ? [Array("PING".utf8)] : credentials
        connection.assumeIsolated { connection in
            connection.send(RESPCommand.encode(greeting), before: deadline) {
                [weak self, weak connection] reply in
                if case .success(let value) = reply, value.isOK || value == .text(Array("PONG".utf8)) {
                    self?.assumeIsolated { $0.answered() }
                } else {
                    connection?.assumeIsolated { $0.close() }
                }
            }
        }
        resolver.resolve(origin, now: loop.now) { [loop] answer in
            loop.execute {
                connection.assumeIsolated { connection in
                    switch answer {
                    case .success(let addresses): connection.connect(to: addresses)
                    case .failure: connection.close()
                    }
                }
            }
        }
    }

    private func answered() {
        hasAnswered = true
        pause = Self.firstPause
    }

    private func connectionEnded() {
        connection = nil
        // One that has worked is made anew at once; one that has not leaves the server alone for a while.
        guard !hasAnswered else { return }
        nextAttempt = max(nextAttempt, loop.now + pause)
        pause = min(pause * 2, Self.longestPause)
    }
}
