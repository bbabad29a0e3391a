// SPDX-License-Identifier: MIT

internal import COpenSSL

/// Which certificates a server asks its clients for.
public enum ClientCertificates: Sendable, Hashable {
    /// None.
    case none
    /// Clients are asked, and may have none.
    ///
    /// With authorities, given in PEM, a certificate that does not lead to one of them, or has expired, ends the handshake. Without,
    /// every certificate is taken, one that its holder signed too, at any time: it proves nothing but that the client has its key,
    /// which is what a token that is bound to it needs. RFC 8705 §2.2, §3.
    case request(issuedBy: PEMSource? = nil)
    /// Clients without a certificate that leads to one of these authorities, given in PEM, are turned away in the handshake.
    case require(issuedBy: PEMSource)
}

extension TLSContext {
    /// The most bytes of certificates that a client may send.
    private static let maximumClientChainByteCount = 32 * 1024
    /// How long a session can be taken up again, in seconds.
    private static let sessionLifetime = 3600

    /// Makes the context of a server.
    ///
    /// TLS 1.2 with forward secrecy and AEAD ciphers alone, and TLS 1.3. Sessions are resumed by tickets, under keys that change
    /// twice a day and end with the context; the server keeps none. RFC 9325 §3.1.1, §3.4, §4.2.
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
        // An incomplete close is the end of the client's side and no more: HTTP messages say themselves where they end. RFC 9112 §9.8.
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
        // Without it no session with a client's certificate could be resumed.
        let name = Array("portcullis".utf8)
        guard SSL_CTX_set_session_id_context(context, name, UInt32(name.count)) == 1 else {
            throw .unavailable
        }
    }

    private func ask(issuedBy source: PEMSource?, _ mode: Int32) throws(TLSError) {
        COpenSSL_SSL_CTX_set_max_cert_list(context, Self.maximumClientChainByteCount)
        SSL_CTX_set_verify(context, mode, nil)
        guard let source else {
            // In place of every check but that of the signature that the client makes with its key.
            return SSL_CTX_set_cert_verify_callback(context, { _, _ in 1 }, nil)
        }
        guard let certificates = source.certificates() else { throw .unusableRoots }
        defer { for certificate in certificates { X509_free(certificate) } }
        trust(try TrustStore(certificates))
        for certificate in certificates where SSL_CTX_add_client_CA(context, certificate) != 1 {
            throw .unusableRoots
        }
    }

    /// Makes the server's end of a connection over a socket that does not block.
    package func makeSession(descriptor: Int32) throws(TLSError) -> TLSSession {
        try TLSSession(self, descriptor: descriptor)
    }
}

/// Chooses HTTP/1.1, or what came before it, or ends the handshake where the client names other protocols only.
///
/// RFC 7301 §3.2.
// SAFETY: `offered` is read below `count`; what is chosen points into it, which OpenSSL keeps until it has copied the name.
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
