// SPDX-License-Identifier: MIT

/// Why a TLS connection could not be made or went wrong.
///
/// Holds codes, never text from the peer.
///
/// RFC 8446, RFC 9525.
public enum TLSError: Error, Sendable, Hashable {
    /// The trusted roots cannot be read, or there is none among them.
    case unusableRoots
    /// The own certificate, or one of its chain, cannot be read.
    case unusableCertificate
    /// The own private key cannot be read, or is encrypted.
    case unusablePrivateKey
    /// The own private key does not belong to the certificate.
    case foreignPrivateKey
    /// OpenSSL could not set up what it needs.
    case unavailable
    /// The peer's certificate was refused.
    case certificateRefused(CertificateProblem)
    /// Peer and we have no version of TLS in common; ours begin with 1.2. RFC 9325 §3.1.1.
    case versionRefused
    /// The peer ended the connection with this alert. RFC 8446 §6.
    case alert(UInt8)
    /// The peer broke the protocol, or spoke none; the number is OpenSSL's reason code.
    case protocolFailure(Int32)
    /// The connection ended without the peer's saying so: what came may have been cut short. RFC 8446 §6.1.
    case truncated
    /// A system call on the socket failed; the number is `errno`.
    case system(Int32)

    /// What was wrong with a certificate.
    public enum CertificateProblem: Sendable, Hashable {
        /// No chain leads from it to a trusted root.
        case unknownIssuer
        /// Its time is over, or that of one in its chain.
        case expired
        /// Its time has not begun.
        case notYetValid
        /// It is for another name or address. RFC 9525 §6.
        case wrongName
        /// It was revoked.
        case revoked
        /// OpenSSL's code, for everything else.
        case other(Int32)
    }
}
