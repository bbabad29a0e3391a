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
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
            X509_V_ERR_CERT_UNTRUSTED:
            self = .unknownIssuer
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: self = .selfSigned
        case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
        case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: self = .wrongName
        case X509_V_ERR_CERT_REVOKED: self = .revoked
        default: self = .other(verifyResult)
        }
    }
}

extension TLSError: CustomStringConvertible {
    /// The error as a phrase, with OpenSSL's words where it has any.
    public var description: String {
        switch self {
        case .unusableRoots: "the trusted certificate authorities cannot be read, or there are none"
        case .unusableCertificate: "our own certificate cannot be read"
        case .unusablePrivateKey: "our own private key cannot be read, or is encrypted"
        case .foreignPrivateKey: "our own private key does not belong to our certificate"
        case .unavailable: "OpenSSL could not set up the connection"
        case .certificateRefused(let problem): problem.description
        case .versionRefused: "the server offers no version from TLS 1.2 on"
        case .alert(let number):
            "the server refused the connection with the alert \(Self.words(ofAlert: number))"
        case .protocolFailure(let reason): Self.words(ofReason: reason)
        case .truncated: "the connection ended without the closure alert of TLS"
        case .system(let code): code == 0 ? "the connection ended" : SystemMessage.text(code)
        }
    }

    private static func words(ofAlert number: UInt8) -> String {
        // OpenSSL does not know its name. RFC 8446 §6.2.
        if number == 116 { return "116 (certificate required)" }
        guard let text = SSL_alert_desc_string_long(Int32(number)) else { return "\(number)" }
        return "\(number) (\(String(cString: text)))"
    }

    // The first bytes of another protocol are taken for the header of a record. RFC 8446 §5.1.
    private static func words(ofReason reason: Int32) -> String {
        switch reason {
        case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST,
            SSL_R_UNKNOWN_PROTOCOL, SSL_R_PACKET_LENGTH_TOO_LONG, SSL_R_BAD_PROTOCOL_VERSION_NUMBER:
            return "the server does not speak TLS at this port"
        case SSL_R_BAD_EXTENSION: return "the server selected another protocol than http/1.1"
        default:
            let code = UInt(ERR_LIB_SSL) << 23 | UInt(reason)
            let text = ERR_reason_error_string(code).map { String(cString: $0) } ?? "\(reason)"
            return "the server violates the protocol (OpenSSL: \(text))"
        }
    }
}

extension TLSError.CertificateProblem: CustomStringConvertible {
    /// The problem as a phrase, with OpenSSL's words.
    public var description: String { "\(sentence) (OpenSSL: \(openSSLWords))" }

    private var sentence: String {
        switch self {
        case .unknownIssuer: "the certificate is not issued by a trusted authority"
        case .selfSigned: "the certificate signs itself and is not trusted"
        case .expired: "the certificate, or one of its chain, has expired"
        case .notYetValid: "the certificate, or one of its chain, is not valid yet"
        case .wrongName: "the certificate is for another name"
        case .revoked: "the certificate was revoked"
        case .other: "the certificate was refused"
        }
    }

    private var openSSLWords: String {
        let code =
            switch self {
            case .unknownIssuer: X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
            case .selfSigned: X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
            case .expired: X509_V_ERR_CERT_HAS_EXPIRED
            case .notYetValid: X509_V_ERR_CERT_NOT_YET_VALID
            case .wrongName: X509_V_ERR_HOSTNAME_MISMATCH
            case .revoked: X509_V_ERR_CERT_REVOKED
            case .other(let code): code
            }
        return X509_verify_cert_error_string(Int(code)).map { String(cString: $0) } ?? "\(code)"
    }
}
