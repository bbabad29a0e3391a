// SPDX-License-Identifier: MIT

internal import COpenSSL

/// Which certificate authorities are trusted.
public enum TrustedRoots: Sendable, Hashable {
    /// Those of the system, where its OpenSSL looks for them.
    case system
    /// These instead of the system's. Each is trusted by itself, whether it is a root or not.
    case pem(PEMSource)
}

extension TLSContext {
    /// Makes the context of a client that refuses every server whose certificate does not lead to a trusted root.
    ///
    /// Reads the roots, which holds the thread for tens of milliseconds if they are the system's.
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

    /// Makes the context of a client that refuses every server, until it is told whom to trust.
    convenience init(clientPresenting identity: TLSIdentity?) throws(TLSError) {
        try self.init(.client, verifiesPeers: true)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        if let identity { try use(identity) }
        // RFC 7301 §3.1: one name, after its length. Here zero is success.
        let protocols = [UInt8(8)] + Array("http/1.1".utf8)
        guard SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count)) == 0 else {
            throw .unavailable
        }
    }

    /// Makes the client's end of a connection over a socket that is connected and does not block.
    ///
    /// - Parameter server: The name or address that the certificate has to be for.
    func makeSession(descriptor: Int32, server: ServerIdentity) throws(TLSError) -> TLSSession {
        let session = try TLSSession(self, descriptor: descriptor)
        try session.expect(server)
        return session
    }
}

/// Whom a client means to talk to, as the certificate has to say.
///
/// RFC 9525 §2.
package enum ServerIdentity: Sendable, Hashable {
    /// A DNS name, also sent as SNI.
    case name(String)
    /// An address: 4 or 16 bytes. Never sent as SNI. RFC 6066 §3.
    case address([UInt8])
}
