// SPDX-License-Identifier: MIT

internal import COpenSSL

/// What a server showed in its handshake.
package struct TLSPeer: Sendable, Hashable {
    /// The version, such as `TLSv1.3`.
    package let version: String
    /// The certificate in DER.
    package let certificate: [UInt8]
    /// The whole days until the certificate expires, negative after its end.
    package let daysLeft: Int

    package init(version: String, certificate: [UInt8], daysLeft: Int) {
        self.version = version
        self.certificate = certificate
        self.daysLeft = daysLeft
    }
}

extension TLSSession {
    /// What the peer showed, or `nil` before the end of the handshake and without a certificate.
    var peer: TLSPeer? {
        defer { ERR_clear_error() }
        guard let der = peerCertificate, let certificate = SSL_get0_peer_certificate(ssl) else { return nil }
        var (days, seconds): (Int32, Int32) = (0, 0)
        guard ASN1_TIME_diff(&days, &seconds, nil, X509_get0_notAfter(certificate)) == 1 else { return nil }
        let version = SSL_get_version(ssl).map { String(cString: $0) } ?? ""
        return TLSPeer(version: version, certificate: der, daysLeft: Int(days) - (seconds < 0 ? 1 : 0))
    }
}
