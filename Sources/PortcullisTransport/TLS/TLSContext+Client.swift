// SPDX-License-Identifier: MIT

internal import COpenSSL

/// The trusted certificate authorities.
public enum TrustedRoots: Sendable, Hashable {
    /// The system's certificate authorities, where its OpenSSL looks for them.
    case system
    /// These instead of the system's. Each certificate is a trust anchor, whether it is a root or not.
    case pem(PEMSource)
}

extension TLSContext {
    /// Makes the context of a client that rejects every server whose certificate does not chain to a trusted
    /// root.
    ///
    /// Reads the roots; blocks the thread for tens of milliseconds if they are the system's.
    package convenience init(
        clientTrusting roots: TrustedRoots, presenting identity: TLSIdentity? = nil
    ) throws(TLSError) {
        let store =
            switch roots {
            case .system: try TrustStore.system()
            case .pem(let source): try TrustStore(source)
            }
        try self.init(clientPresenting: identity)
        trust(store)
    }

    /// Makes the context of a client that rejects every server until ``trust(_:)`` is called.
    convenience init(clientPresenting identity: TLSIdentity?) throws(TLSError) {
        try self.init(.client, verifiesPeers: true)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        if let identity { try use(identity) }
        // RFC 7301 §3.1: one name, preceded by its length. Zero means success here.
        let protocols = [UInt8(8)] + Array("http/1.1".utf8)
        guard SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count)) == 0 else {
            throw .unavailable
        }
    }

    /// Makes the client's end of a connection over a connected, non-blocking socket.
    ///
    /// - Parameter server: The name or address that the certificate must be for.
    func makeSession(descriptor: Int32, server: ServerIdentity) throws(TLSError) -> TLSSession {
        let session = try TLSSession(self, descriptor: descriptor)
        try session.expect(server)
        return session
    }
}

/// The server that a client connects to, as its certificate must name it.
///
/// RFC 9525 §2.
package enum ServerIdentity: Sendable, Hashable {
    /// A DNS name, also sent as SNI.
    case name(String)
    /// An address: 4 or 16 bytes. Never sent as SNI. RFC 6066 §3.
    case address([UInt8])
}
