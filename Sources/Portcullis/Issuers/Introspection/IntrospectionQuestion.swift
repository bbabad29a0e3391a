// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport

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
