// SPDX-License-Identifier: MIT

internal import COpenSSL

extension TLSError {
    /// The error of the last failed call, from the thread's error queue.
    static func fromErrorQueue(verifyResult: Int) -> TLSError {
        let code = ERR_peek_last_error()
        guard code != 0, ERR_GET_LIB(code) == ERR_LIB_SSL else { return .unavailable }
        let reason = ERR_GET_REASON(code)
        switch reason {
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            return .certificateRefused(
                CertificateProblem(verifyResult: Int32(truncatingIfNeeded: verifyResult)))
        case SSL_R_UNEXPECTED_EOF_WHILE_READING:
            return .truncated
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_WRONG_SSL_VERSION, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
            return .versionRefused
        case SSL_AD_REASON_OFFSET...(SSL_AD_REASON_OFFSET + 255):
            return .alert(UInt8(truncatingIfNeeded: reason - SSL_AD_REASON_OFFSET))
        default:
            return .protocolFailure(reason)
        }
    }
}

extension TLSError.CertificateProblem {
    init(verifyResult: Int32) {
        switch verifyResult {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED:
            self = .unknownIssuer
        case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
        case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: self = .wrongName
        case X509_V_ERR_CERT_REVOKED: self = .revoked
        default: self = .other(verifyResult)
        }
    }
}
