// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport

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
