// SPDX-License-Identifier: MIT

package import PortcullisTransport
import Synchronization

/// The certificates that servers have shown to the checker's client.
package final class SeenCertificates: Sendable {
    /// The maximum number of hosts; of further ones nothing is kept.
    package static let maximumCount = 100_000

    private let peers = Mutex<[String: TLSPeer]>([:])

    package init() {}

    /// Keeps what a host has shown last.
    package func insert(_ peer: TLSPeer, of host: String) {
        peers.withLock { peers in
            guard peers[host] != nil || peers.count < Self.maximumCount else { return }
            peers[host] = peer
        }
    }

    /// What a host has shown last, or `nil`.
    func peer(of host: String) -> TLSPeer? { peers.withLock { $0[host] } }
}
