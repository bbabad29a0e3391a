// SPDX-License-Identifier: MIT

internal import COpenSSL

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// One TLS connection over a socket that its caller owns, watches and closes.
///
/// No call blocks. OpenSSL keeps errors in a per-thread queue: each call clears it first and reads it before
/// it returns.
package final class TLSSession {
    // SAFETY: made in `init`, freed in `deinit`, and never shared; one owner at a time uses the object.
    let ssl: OpaquePointer
    let context: TLSContext
    /// After a fatal failure OpenSSL allows no further call, not even for the closure alert.
    private var isBroken = false
    /// Another call would wait for the peer's alert, and read its data as one.
    private var hasSentClosure = false
    /// The most socket reads in one call of a client: two records, each with its header.
    private static let clientReadLimit: Int32 = 4

    init(_ context: TLSContext, descriptor: Int32) throws(TLSError) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard
            let bio = COpenSSL_socket_new(context.socketMethod, descriptor, context.role == .server ? 1 : 0)
        else { throw .unavailable }
        guard let ssl = SSL_new(context.context) else {
            BIO_free_all(bio)
            throw .unavailable
        }
        // One reference serves both directions.
        SSL_set_bio(ssl, bio, bio)
        switch context.role {
        case .client: SSL_set_connect_state(ssl)
        case .server: SSL_set_accept_state(ssl)
        }
        self.ssl = ssl
        self.context = context
    }

    deinit {
        SSL_free(ssl)
    }

    /// Makes the handshake fail unless the certificate is for this server.
    ///
    /// RFC 9525 §6.
    func expect(_ server: ServerIdentity) throws(TLSError) {
        defer { ERR_clear_error() }
        switch server {
        case .name(let name):
            SSL_set_hostflags(ssl, COPENSSL_NAME_CHECKS)
            guard SSL_set1_host(ssl, name) == 1, COpenSSL_SSL_set_tlsext_host_name(ssl, name) == 1 else {
                throw .unavailable
            }
        case .address(let address):
            guard X509_VERIFY_PARAM_set1_ip(SSL_get0_param(ssl), address, address.count) == 1 else {
                throw .unavailable
            }
        }
    }

    /// Continues the handshake.
    ///
    /// `bytes(0)` means that it is complete. A client's session reads a bounded amount from the socket: a
    /// server or a man in the middle could otherwise keep the call busy forever with empty messages.
    /// RFC 5246 §7.4.1.1.
    package func handshake() -> IOResult {
        ERR_clear_error()
        if context.role == .client { COpenSSL_socket_limit(SSL_get_rbio(ssl), Self.clientReadLimit) }
        let code = SSL_do_handshake(ssl)
        guard code == 1 else {
            let result = result(of: code)
            return wasStopped(result) ? .wouldBlock([]) : result
        }
        guard agreesOnProtocol else { return broken(.protocolFailure(SSL_R_BAD_EXTENSION)) }
        return resumedPeerIsCurrent ? .bytes(0) : broken(.certificateRefused(.expired))
    }

    /// Whether the peer selected the offered protocol, or none.
    ///
    /// RFC 7301 §3.2.
    private var agreesOnProtocol: Bool {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &count)
        guard let name, count > 0 else { return true }
        // A server has selected already. RFC 7301 §3.2.
        if context.role == .server { return true }
        return UnsafeBufferPointer(start: name, count: Int(count)).elementsEqual("http/1.1".utf8)
    }

    /// Reads at most as many bytes as the buffer has room for.
    ///
    /// Each call reads a bounded amount from the socket, a server's reads once; `bytes(0)` means that the
    /// records held no data and more may follow. The peer could otherwise keep the call busy with messages
    /// without data.
    /// RFC 8446 §4.6.
    package func read(into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        guard !isBroken else { return .failed(.tls(.truncated)) }
        var count = 0
        ERR_clear_error()
        COpenSSL_socket_limit(SSL_get_rbio(ssl), context.role == .server ? 1 : Self.clientReadLimit)
        let code = SSL_read_ex(ssl, buffer.baseAddress, buffer.count, &count)
        if code == 1 { return .bytes(count) }
        let result = result(of: code)
        return wasStopped(result) ? .bytes(0) : result
    }

    /// Whether the read limit ended a call, not the socket.
    private func wasStopped(_ result: IOResult) -> Bool {
        result == .wouldBlock(.readable) && COpenSSL_socket_was_stopped(SSL_get_rbio(ssl)) == 1
    }

    /// Writes some of the bytes.
    ///
    /// After `wouldBlock` the next call must begin with the same bytes.
    package func write(_ bytes: UnsafeRawBufferPointer) -> IOResult {
        guard !isBroken else { return .failed(.tls(.truncated)) }
        guard !bytes.isEmpty else { return .bytes(0) }
        var count = 0
        ERR_clear_error()
        let code = SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count)
        return code == 1 ? .bytes(count) : result(of: code)
    }

    /// Sends the closure alert without blocking; reading may continue.
    ///
    /// RFC 8446 §6.1.
    ///
    /// - Returns: `wouldBlock` if the socket is full, and the call must be repeated.
    @discardableResult
    package func sendClosureAlert() -> IOResult {
        guard !isBroken, !hasSentClosure, SSL_is_init_finished(ssl) == 1 else { return .bytes(0) }
        ERR_clear_error()
        let code = SSL_shutdown(ssl)
        guard code < 0 else {
            ERR_clear_error()
            hasSentClosure = true
            return .bytes(0)
        }
        return result(of: code)
    }

    private func result(of code: Int32) -> IOResult {
        let systemCode = errno
        defer { ERR_clear_error() }
        switch SSL_get_error(ssl, code) {
        case SSL_ERROR_WANT_READ: return .wouldBlock(.readable)
        case SSL_ERROR_WANT_WRITE: return .wouldBlock(.writable)
        case SSL_ERROR_ZERO_RETURN: return .closed
        case SSL_ERROR_SYSCALL: return broken(.system(systemCode))
        default: return broken(.fromErrorQueue(verifyResult: SSL_get_verify_result(ssl)))
        }
    }

    private func broken(_ error: TLSError) -> IOResult {
        isBroken = true
        return .failed(.tls(error))
    }
}
