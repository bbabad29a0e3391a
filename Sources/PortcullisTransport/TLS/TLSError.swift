// SPDX-License-Identifier: MIT

/// Why a TLS connection could not be made, or failed.
///
/// Contains codes, never text from the peer.
///
/// RFC 8446, RFC 9525.
public enum TLSError: Error, Sendable, Hashable {
    /// The trusted roots cannot be read, or there are none.
    case unusableRoots
    /// The client's or server's own certificate, or one of its chain, cannot be read.
    case unusableCertificate
    /// The client's or server's own private key cannot be read, or is encrypted.
    case unusablePrivateKey
    /// The private key does not belong to the certificate.
    case foreignPrivateKey
    /// OpenSSL could not set up what it needs.
    case unavailable
    /// The peer's certificate was refused.
    case certificateRefused(CertificateProblem)
    /// The peer supports no common TLS version; TLS 1.2 is the oldest allowed. RFC 9325 §3.1.1.
    case versionRefused
    /// The peer ended the connection with this alert. RFC 8446 §6.
    case alert(UInt8)
    /// The peer violated the protocol, or does not speak TLS; the number is OpenSSL's reason code.
    case protocolFailure(Int32)
    /// The connection ended without a closure alert: the data may be truncated. RFC 8446 §6.1.
    case truncated
    /// A system call on the socket failed; the number is `errno`.
    case system(Int32)

    /// The problem with a certificate.
    public enum CertificateProblem: Sendable, Hashable {
        /// It does not chain to a trusted root.
        case unknownIssuer
        /// It signs itself, and is not trusted itself.
        case selfSigned
        /// It, or a certificate in its chain, has expired.
        case expired
        /// It is not valid yet.
        case notYetValid
        /// It is for another name or address. RFC 9525 §6.
        case wrongName
        /// It was revoked.
        case revoked
        /// Any other problem; the number is OpenSSL's code.
        case other(Int32)
    }
}
