// SPDX-License-Identifier: MIT

internal import Synchronization

/// The TLS context of a client's connections, completed on first use.
///
/// Reads configured certificates and keys at once, so that the caller gets errors early. Reads the system's
/// roots for the first connection.
package final class ClientTLS: Sendable {
    private enum State {
        /// Still without the system's roots; `nil` if there is no identity either.
        case unfinished(TLSContext?)
        case settled(Result<TLSContext, TLSError>)
    }

    private let systemRoots: SystemRoots
    private let begun = MonotonicInstant.now()
    private let state: Mutex<State>

    /// Reads the configured certificates and key.
    ///
    /// Never fails: ``problem`` is the error.
    package init(
        trusting roots: TrustedRoots, presenting identity: TLSIdentity?, systemRoots: SystemRoots = .shared
    ) {
        self.systemRoots = systemRoots
        state = Mutex(Self.begin(roots, identity))
    }

    private static func begin(_ roots: TrustedRoots, _ identity: TLSIdentity?) -> State {
        do throws(TLSError) {
            switch (roots, identity) {
            case (.pem, _):
                return .settled(.success(try TLSContext(clientTrusting: roots, presenting: identity)))
            case (.system, let identity?): return .unfinished(try TLSContext(clientPresenting: identity))
            case (.system, nil): return .unfinished(nil)
            }
        } catch {
            return .settled(.failure(error))
        }
    }

    /// Why there can be no context, or `nil` if there is no such error.
    package var problem: TLSError? {
        guard case .settled(.failure(let error)) = state.withLock({ $0 }) else { return nil }
        return error
    }

    /// Passes the context to a closure: at once if it exists, otherwise after the system's roots have been
    /// read, outside the event loops.
    package func whenReady(_ take: @escaping @Sendable (Result<TLSContext, TLSError>) -> Void) {
        if case .settled(let result) = state.withLock({ $0 }) { return take(result) }
        systemRoots.whenRead(notBefore: begun) { [self] roots in take(finish(trusting: roots)) }
    }

    /// Completes the context; ``SystemRoots`` calls it for one connection at a time.
    private func finish(trusting roots: Result<TrustStore, TLSError>) -> Result<TLSContext, TLSError> {
        let context: TLSContext?
        switch state.withLock({ $0 }) {
        case .settled(let result): return result
        case .unfinished(let own): context = own
        }
        let result = Result { () throws(TLSError) in
            let roots = try roots.get()
            let finished = if let context { context } else { try TLSContext(clientPresenting: nil) }
            finished.trust(roots)
            return finished
        }
        // A failure is not stored: the roots may be present for the next connection.
        if case .success = result { state.withLock { $0 = .settled(result) } }
        return result
    }
}
