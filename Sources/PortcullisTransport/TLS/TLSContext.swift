// SPDX-License-Identifier: MIT

internal import COpenSSL

/// The common settings of a client's or server's TLS connections: trusted roots, own certificate, versions.
///
/// Reads the files once; the sessions share the result.
// SAFETY: `BIO_METHOD` does not change after `init`, and `SSL_CTX` not after its roots are set, before which
// no session is made; OpenSSL counts the references of sessions to them atomically.
package final class TLSContext: @unchecked Sendable {
    /// The side of the handshake that the sessions take.
    enum Role: Sendable {
        case client, server
    }

    let role: Role
    /// Whether the certificates of peers must chain to a trusted one.
    let verifiesPeers: Bool
    let context: OpaquePointer
    let socketMethod: OpaquePointer
    /// The keys for a server's tickets.
    let ticketKeys = TicketKeyRing()

    init(_ role: Role, verifiesPeers: Bool) throws(TLSError) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let method = COpenSSL_socket_method() else { throw .unavailable }
        guard let context = SSL_CTX_new(role == .client ? TLS_client_method() : TLS_server_method()) else {
            BIO_meth_free(method)
            throw .unavailable
        }
        self.role = role
        self.verifiesPeers = verifiesPeers
        self.context = context
        socketMethod = method
        // RFC 9325 §3.1.1: nothing below 1.2. §3.3: no compression. §3.5: no renegotiation.
        guard COpenSSL_SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 else { throw .unavailable }
        SSL_CTX_set_options(context, COPENSSL_SSL_OP_NO_RENEGOTIATION | COPENSSL_SSL_OP_NO_COMPRESSION)
        _ = COpenSSL_SSL_CTX_set_mode(
            context,
            Int(
                SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS
            ))
    }

    deinit {
        SSL_CTX_free(context)
        BIO_meth_free(socketMethod)
    }

    /// Sets the certificate to present to peers.
    func use(_ identity: TLSIdentity) throws(TLSError) {
        guard let chain = identity.certificateChain.certificates() else { throw .unusableCertificate }
        defer { for certificate in chain { X509_free(certificate) } }
        defer { ERR_clear_error() }
        guard SSL_CTX_use_certificate(context, chain[0]) == 1 else { throw .unusableCertificate }
        for issuer in chain.dropFirst() {
            guard COpenSSL_SSL_CTX_add1_chain_cert(context, issuer) == 1 else { throw .unusableCertificate }
        }
        guard let key = identity.privateKey.privateKey() else { throw .unusablePrivateKey }
        defer { EVP_PKEY_free(key) }
        guard X509_check_private_key(chain[0], key) == 1 else { throw .foreignPrivateKey }
        guard SSL_CTX_use_PrivateKey(context, key) == 1 else { throw .unusablePrivateKey }
    }

    /// Trusts only the store's certificates; call it before there are sessions.
    func trust(_ store: TrustStore) {
        SSL_CTX_set1_cert_store(context, store.store)
    }
}
