// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// The source of a client's certificate, set by the host program.
///
/// RFC 8705 §3, RFC 9440 §2.
public enum ClientCertificate: Sendable, Hashable {
    /// The client presented no certificate.
    case none
    /// The client presented this certificate, in DER, on a TLS connection, and proved possession of its key.
    case connection(der: [UInt8])
    /// The connection comes from a trusted proxy: only this field counts.
    ///
    /// The proxy must remove any field of this name sent by a client. RFC 9440 §2.4.
    indirect case field(ClientCertificateField)

    /// The connection comes from a trusted proxy: only its `Client-Cert` field counts.
    public static let trustedField = ClientCertificate.field(.clientCert)
}

extension ClientCertificate {
    /// The field that the certificate is read from, or `nil`.
    @inline(__always)
    var field: ClientCertificateField? { if case .field(let field) = self { field } else { nil } }

    /// Returns the hash of the certificate, or `nil` if the client has none.
    ///
    /// RFC 8705 §3.1. `Client-Cert-Chain` is ignored: the binding is to the certificate itself.
    package func thumbprint(in head: borrowing RequestHead) throws(RefusalReason) -> SHA256Digest? {
        switch self {
        case .none: return nil
        case .connection(let der): return Digest.sha256(der)
        case .field(let field): return try field.certificate(in: head).map { Digest.sha256($0) }
        }
    }
}
