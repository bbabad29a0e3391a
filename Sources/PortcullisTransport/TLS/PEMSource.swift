// SPDX-License-Identifier: MIT

/// Where certificates or a key come from, in PEM.
///
/// RFC 7468.
public enum PEMSource: Sendable, Hashable, CustomStringConvertible {
    /// A file, read when the client or server that it is for is made.
    case file(String)
    /// The PEM text itself.
    case bytes([UInt8])

    /// Says which of the two, and nothing of what it holds: it may be a private key.
    public var description: String {
        switch self {
        case .file: "PEM file"
        case .bytes: "PEM bytes"
        }
    }
}

/// A certificate with the chain behind it, and its private key.
public struct TLSIdentity: Sendable, Hashable, CustomStringConvertible {
    /// The certificate, then the certificates of those who issued it.
    public let certificateChain: PEMSource
    /// The private key of the first certificate.
    ///
    /// A key under a password cannot be read.
    public let privateKey: PEMSource

    /// Makes an identity.
    ///
    /// Nothing is read or checked yet.
    public init(certificateChain: PEMSource, privateKey: PEMSource) {
        self.certificateChain = certificateChain
        self.privateKey = privateKey
    }

    /// Says what it is, without the key.
    public var description: String { "TLS identity" }
}
