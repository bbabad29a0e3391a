// SPDX-License-Identifier: MIT

internal import Synchronization

/// The context that a client's connections use, once one of them needs it.
///
/// Certificates and keys that the client is given are read at once, so that whoever makes it hears what is wrong with them. The
/// system's roots are read for the first connection.
package final class ClientTLS: Sendable {
    private enum State {
        /// Without the system's roots as yet; without an identity there is nothing at all.
        case unfinished(TLSContext?)
        case settled(Result<TLSContext, TLSError>)
    }

    private let systemRoots: SystemRoots
    private let begun = MonotonicInstant.now()
    private let state: Mutex<State>

    /// Reads the certificates and the key that it is given.
    ///
    /// Never fails: ``problem`` says what is wrong.
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

    /// Why there can be no context, whenever it is asked for.
    package var problem: TLSError? {
        guard case .settled(.failure(let error)) = state.withLock({ $0 }) else { return nil }
        return error
    }

    /// Hands the context over: at once if it is there, else when the system's roots have been read, away from the loops.
    package func whenReady(_ take: @escaping @Sendable (Result<TLSContext, TLSError>) -> Void) {
        if case .settled(let result) = state.withLock({ $0 }) { return take(result) }
        systemRoots.whenRead(notBefore: begun) { [self] roots in take(finish(trusting: roots)) }
    }

    /// Called by the roots, for one connection after the other.
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
        // What is missing now may be there for the next connection.
        if case .success = result { state.withLock { $0 = .settled(result) } }
        return result
    }
}
