// SPDX-License-Identifier: MIT

internal import COpenSSL

/// The certificates that a server requests from clients.
public enum ClientCertificates: Sendable, Hashable {
    /// None.
    case none
    /// The server requests a certificate; a client may have none.
    ///
    /// With authorities, given in PEM, a certificate that does not chain to one of them, or has expired, ends
    /// the handshake. Without authorities the server accepts every certificate, even self-signed or expired:
    /// it proves only possession of the key, which is what a certificate-bound token needs.
    /// RFC 8705 §2.2, §3.
    case request(issuedBy: PEMSource? = nil)
    /// The handshake fails for clients without a certificate that chains to one of these authorities, given
    /// in PEM.
    case require(issuedBy: PEMSource)
}

extension TLSContext {
    /// The most bytes of certificates accepted from a client.
    private static let maximumClientChainByteCount = 32 * 1024
    /// How long a session can be resumed, in seconds.
    private static let sessionLifetime = 3600

    /// Makes the context of a server.
    ///
    /// Allows TLS 1.3, and TLS 1.2 with forward secrecy and AEAD ciphers only. Resumes sessions with tickets,
    /// under keys that change twice a day and end with the context; the server stores no session.
    /// RFC 9325 §3.1.1, §3.4, §4.2.
    package convenience init(
        serverPresenting identity: TLSIdentity, askingFor certificates: ClientCertificates = .none
    ) throws(TLSError) {
        let authorities: PEMSource? =
            switch certificates {
            case .none: nil
            case .request(let source): source
            case .require(let source): source
            }
        try self.init(.server, verifiesPeers: authorities != nil)
        defer { ERR_clear_error() }
        try use(identity)
        guard SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 else {
            throw .unavailable
        }
        // An incomplete close only ends the client's side: HTTP messages delimit themselves. RFC 9112 §9.8.
        SSL_CTX_set_options(
            context,
            COPENSSL_SSL_OP_CIPHER_SERVER_PREFERENCE | COPENSSL_SSL_OP_PRIORITIZE_CHACHA
                | COPENSSL_SSL_OP_IGNORE_UNEXPECTED_EOF)
        // One system call for a record's header and content, instead of two.
        COpenSSL_SSL_CTX_read_ahead(context)
        SSL_CTX_set_alpn_select_cb(context, selectProtocol, nil)
        try keepSessionsInTickets()
        switch certificates {
        case .none: break
        case .request: try ask(issuedBy: authorities, SSL_VERIFY_PEER)
        case .require: try ask(issuedBy: authorities, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT)
        }
    }

    private func keepSessionsInTickets() throws(TLSError) {
        COpenSSL_SSL_CTX_without_session_cache(context)
        try protectTickets()
        _ = SSL_CTX_set_timeout(context, Self.sessionLifetime)
        // Without it, sessions with a client certificate could not be resumed.
        let name = Array("portcullis".utf8)
        guard SSL_CTX_set_session_id_context(context, name, UInt32(name.count)) == 1 else {
            throw .unavailable
        }
    }

    private func ask(issuedBy source: PEMSource?, _ mode: Int32) throws(TLSError) {
        COpenSSL_SSL_CTX_set_max_cert_list(context, Self.maximumClientChainByteCount)
        SSL_CTX_set_verify(context, mode, nil)
        guard let source else {
            // Replaces every check except that of the client's handshake signature.
            return SSL_CTX_set_cert_verify_callback(context, { _, _ in 1 }, nil)
        }
        guard let certificates = source.certificates() else { throw .unusableRoots }
        defer { for certificate in certificates { X509_free(certificate) } }
        trust(try TrustStore(certificates))
        for certificate in certificates where SSL_CTX_add_client_CA(context, certificate) != 1 {
            throw .unusableRoots
        }
    }

    /// Makes the server's end of a connection over a non-blocking socket.
    package func makeSession(descriptor: Int32) throws(TLSError) -> TLSSession {
        try TLSSession(self, descriptor: descriptor)
    }
}

/// Selects HTTP/1.1, else HTTP/1.0; ends the handshake if the client offers only other protocols.
///
/// RFC 7301 §3.2.
// SAFETY: `offered` is read within `count`; the choice points into it, and OpenSSL keeps it until it has
// copied the name.
private func selectProtocol(
    _: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenCount: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ count: UInt32,
    _: UnsafeMutableRawPointer?
) -> Int32 {
    let list = UnsafeBufferPointer(start: offered, count: Int(count))
    for name in ["http/1.1", "http/1.0"] {
        var index = 0
        while index < list.count {
            let end = min(index + 1 + Int(list[index]), list.count)
            if list[(index + 1)..<end].elementsEqual(name.utf8) {
                chosen?.pointee = offered.map { $0 + index + 1 }
                chosenCount?.pointee = list[index]
                return SSL_TLSEXT_ERR_OK
            }
            index = end
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
