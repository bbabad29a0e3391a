// SPDX-License-Identifier: MIT

internal import COpenSSL

extension TLSContext {
    /// The validity of the context's own certificate at the current time.
    package enum CertificateTime: Sendable, Hashable {
        case current, notYetValid, expired
        /// The certificate expires in this many whole days, fewer than fourteen.
        case endsSoon(days: Int)
    }

    /// Compares the validity of the context's own certificate with the machine's clock.
    package var certificateTime: CertificateTime {
        guard let certificate = SSL_CTX_get0_certificate(context) else { return .current }
        if X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0 { return .notYetValid }
        if X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0 { return .expired }
        var (days, seconds): (Int32, Int32) = (0, 0)
        guard ASN1_TIME_diff(&days, &seconds, nil, X509_get0_notAfter(certificate)) == 1, days < 14 else {
            return .current
        }
        return .endsSoon(days: Int(days))
    }

    /// Whether the context's own certificate is for a host: a DNS name, or an address without brackets.
    ///
    /// RFC 9525 §6.
    package func covers(host: String) -> Bool {
        guard let certificate = SSL_CTX_get0_certificate(context) else { return false }
        defer { ERR_clear_error() }
        if X509_check_ip_asc(certificate, host, 0) == 1 { return true }
        return X509_check_host(certificate, host, host.utf8.count, COPENSSL_NAME_CHECKS, nil) == 1
    }
}
