// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport

// What an issuer is asked for an admission. Each question is put without a task, and its answer comes back to the event loop it came from.

/// Keys that have to be fetched.
package struct KeyQuestion: Sendable {
    /// What is lacking.
    enum Lack: Sendable, Hashable {
        /// There are no keys that can be used.
        case keys
        /// There are keys, of this generation, and none of them is the token's.
        case newerKeys(than: UInt64)
    }

    /// Whether the issuer could be asked.
    package enum Outcome: Sendable {
        case asked, failed
    }

    let keys: KeyStore
    let lack: Lack

    /// Has the keys fetched, and calls a closure once: on the event loop that this is called on, elsewhere on any thread.
    package func ask(_ finish: @escaping @Sendable (Outcome) -> Void) {
        keys.obtain(lack, then: EventLoop.returning(finish))
    }
}

/// A question to an issuer about a token.
package struct IntrospectionQuestion: Sendable {
    /// Whose call the question may share.
    enum Sharing: Sendable {
        /// One that was begun in this epoch.
        case within(epoch: UInt64)
        /// None that was begun already: its answer may be older than a revocation.
        case none
    }

    let client: IntrospectionClient
    let token: [UInt8]
    let digest: SHA256Digest
    let sharing: Sharing

    /// Asks, and calls a closure once: on the event loop that this is called on, perhaps before it returns; elsewhere on any thread.
    ///
    /// Takes at most ``TrustedIssuer/timeout``, and cannot be cancelled: others may wait for the same answer.
    package func ask(_ finish: @escaping @Sendable (IntrospectionClient.Reply) -> Void) {
        client.ask(self, then: EventLoop.returning(finish))
    }
}

extension EventLoop {
    /// A closure that calls another on the event loop of the moment, or wherever it is called where there is none.
    fileprivate static func returning<Value: Sendable>(
        _ finish: @escaping @Sendable (Value) -> Void
    ) -> @Sendable (Value) -> Void {
        guard let loop = EventLoop.current else { return finish }
        return { value in
            guard !loop.isCurrent else { return finish(value) }
            loop.execute { finish(value) }
        }
    }
}
