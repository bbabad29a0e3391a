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
    /// The connection comes from a trusted proxy: only its `Client-Cert` field counts.
    ///
    /// The proxy must remove any field of this name sent by a client. RFC 9440 §2.4.
    case trustedField
}

extension ClientCertificate {
    /// `Client-Cert`.
    ///
    /// RFC 9440 §2.2.
    package static let fieldName: FieldName = "Client-Cert"

    /// Returns the hash of the certificate, or `nil` if the client has none.
    ///
    /// RFC 8705 §3.1. `Client-Cert-Chain` is ignored: the binding is to the certificate itself.
    func thumbprint(in head: borrowing RequestHead) throws(RefusalReason) -> SHA256Digest? {
        switch self {
        case .none: return nil
        case .connection(let der): return Digest.sha256(der)
        case .trustedField: return try Self.field(of: head).map { Digest.sha256($0) }
        }
    }

    /// Returns the certificate of the field, in DER.
    ///
    /// RFC 9440 §2.1, §2.2, RFC 9651 §3.3.5: one line, one byte sequence, nothing after it.
    static func field(of head: borrowing RequestHead) throws(RefusalReason) -> [UInt8]? {
        guard let (range, count) = head.find(fieldName) else { return nil }
        guard count == 1, range.count > 2, head.bytes[range.lowerBound] == 0x3A,
            head.bytes[range.upperBound - 1] == 0x3A
        else { throw .malformedClientCertificate }
        let inner = (range.lowerBound + 1)..<(range.upperBound - 1)
        let der = head.bytes.withUnsafeBytes { Base64.decode(UnsafeRawBufferPointer(rebasing: $0[inner])) }
        guard let der else { throw .malformedClientCertificate }
        return der
    }
}
