// SPDX-License-Identifier: MIT

/// A source of certificates or a key in PEM.
///
/// RFC 7468.
public enum PEMSource: Sendable, Hashable, CustomStringConvertible {
    /// A file, read when the client or server that uses it is made.
    case file(String)
    /// The PEM text itself.
    case bytes([UInt8])

    /// The kind of source, without its contents: it may hold a private key.
    public var description: String {
        switch self {
        case .file: "PEM file"
        case .bytes: "PEM bytes"
        }
    }
}

/// A certificate with its chain, and its private key.
public struct TLSIdentity: Sendable, Hashable, CustomStringConvertible {
    /// The certificate, then the certificates of its issuers.
    public let certificateChain: PEMSource
    /// The private key of the first certificate.
    ///
    /// An encrypted key cannot be read.
    public let privateKey: PEMSource

    /// Makes an identity.
    ///
    /// Reads and checks nothing yet.
    public init(certificateChain: PEMSource, privateKey: PEMSource) {
        self.certificateChain = certificateChain
        self.privateKey = privateKey
    }

    /// A fixed text, without the key.
    public var description: String { "TLS identity" }
}
