// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport

// The questions of an admission to an issuer. A question needs no task, and its answer returns to the event
// loop that asked.

/// A request to fetch keys.
package struct KeyQuestion: Sendable {
    /// The reason for fetching.
    enum Lack: Sendable, Hashable {
        /// There are no usable keys.
        case keys
        /// The keys of this generation do not include the token's.
        case newerKeys(than: UInt64)
    }

    /// Whether the fetch succeeded.
    package enum Outcome: Sendable {
        case asked, failed
    }

    let keys: KeyStore
    let lack: Lack

    /// Fetches the keys, and calls a closure once: on the caller's event loop if any, else on any thread.
    package func ask(_ finish: @escaping @Sendable (Outcome) -> Void) {
        keys.obtain(lack, then: EventLoop.returning(finish))
    }
}

/// A request to introspect a token.
package struct IntrospectionQuestion: Sendable {
    /// The calls that the question may share.
    enum Sharing: Sendable {
        /// A call started in this epoch.
        case within(epoch: UInt64)
        /// No call in flight, since its answer may be older than a revocation.
        case none
    }

    let client: IntrospectionClient
    let token: [UInt8]
    let digest: SHA256Digest
    let sharing: Sharing

    /// Introspects the token, and calls a closure once: on the event loop of the caller, perhaps before
    /// returning; on any thread if there is none.
    ///
    /// Takes at most ``TrustedIssuer/timeout``, and can't be cancelled: other requests may wait for the same
    /// answer.
    package func ask(_ finish: @escaping @Sendable (IntrospectionClient.Reply) -> Void) {
        client.ask(self, then: EventLoop.returning(finish))
    }
}

extension EventLoop {
    /// Returns a closure that calls another on the current event loop, or directly if there is none.
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
