// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// Where the certificate of a request's client is found, as the host program knows it.
///
/// RFC 8705 §3, RFC 9440 §2.
public enum ClientCertificate: Sendable, Hashable {
    /// The client has presented none.
    case none
    /// The client has presented this one, in DER, on a TLS connection to this server, and proven that it has the key.
    case connection(der: [UInt8])
    /// The connection is that of a trusted proxy: what counts is its `Client-Cert` field, and nothing else.
    ///
    /// The proxy must strip a field of this name that a client has sent. RFC 9440 §2.4.
    case trustedField
}

extension ClientCertificate {
    /// `Client-Cert`.
    ///
    /// RFC 9440 §2.2.
    static let fieldName: FieldName = "Client-Cert"

    /// The hash of the certificate, or nothing if the client has none.
    ///
    /// RFC 8705 §3.1. `Client-Cert-Chain` is not looked at: the binding is to the certificate itself.
    func thumbprint(in head: borrowing RequestHead) throws(RefusalReason) -> SHA256Digest? {
        switch self {
        case .none: return nil
        case .connection(let der): return Digest.sha256(der)
        case .trustedField: return try Self.field(of: head).map { Digest.sha256($0) }
        }
    }

    /// The certificate of the field, in DER.
    ///
    /// RFC 9440 §2.1, §2.2, RFC 9651 §3.3.5: one line, one byte sequence, nothing behind it.
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
