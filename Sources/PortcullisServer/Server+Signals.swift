// SPDX-License-Identifier: MIT

public import PortcullisTransport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

extension Server {
    /// A signal that asks a process to stop.
    public enum StopSignal: Sendable, Hashable, CaseIterable {
        /// SIGTERM, as service managers and container runtimes send it.
        case terminate
        /// SIGINT, as Ctrl-C in a terminal sends it.
        case interrupt

        var number: Int32 {
            switch self {
            case .terminate: SIGTERM
            case .interrupt: SIGINT
            }
        }
    }

    /// Accepts connections until one of the signals comes or the task is cancelled; then lets requests in flight
    /// finish, and returns.
    ///
    /// Handlers and streams learn of it by ``Request/stopping``. A second signal of the same kind ends the process
    /// at once. The signals' handlers are those of the whole process, so a program calls this once at a time;
    /// afterwards the signals do again what they do by default. Other signals stay as they are.
    ///
    /// - Parameters:
    ///   - signals: The signals, such as `[.terminate, .interrupt]`.
    ///   - onListening: Called once, with the real address, when the server accepts connections.
    /// - Throws: As ``run()``.
    public func run(
        stoppingOn signals: Set<StopSignal>,
        onListening: @escaping @Sendable (SocketAddress) -> Void = { _ in }
    ) async throws {
        let (received, signalled) = AsyncStream.makeStream(of: Void.self)
        let handlers = SignalHandlers(
            signals.map { signal in
                (
                    signal.number,
                    {
                        SignalHandlers.restore(signal.number)
                        signalled.finish()
                    }
                )
            }, restoresDefaults: true)
        defer { withExtendedLifetime(handlers) {} }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await run(onListening: onListening) }
            group.addTask { for await _ in received {} }
            // The signal, or the end of the server.
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
    }
}
