// SPDX-License-Identifier: MIT

internal import COpenSSL

extension TLSSession {
    /// Whether the handshake resumed an earlier session.
    ///
    /// RFC 8446 §2.2, RFC 5077.
    package var isResumed: Bool { SSL_session_reused(ssl) == 1 }

    /// The peer's certificate in DER, with proven possession of its key; `nil` if it presented none.
    ///
    /// A resumed session has the certificate of the original session.
    package var peerCertificate: [UInt8]? {
        guard let certificate = SSL_get0_peer_certificate(ssl) else { return nil }
        defer { ERR_clear_error() }
        let count = i2d_X509(certificate, nil)
        guard count > 0 else { return nil }
        var der = [UInt8](repeating: 0, count: Int(count))
        let written = der.withUnsafeMutableBufferPointer { buffer in
            var position = buffer.baseAddress
            return i2d_X509(certificate, &position)
        }
        return written == count ? der : nil
    }

    /// Whether a resumed client certificate is unexpired: OpenSSL does not check again on resumption.
    var resumedPeerIsCurrent: Bool {
        guard context.role == .server, context.verifiesPeers, isResumed,
            let certificate = SSL_get0_peer_certificate(ssl)
        else { return true }
        return X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0
    }
}
