// SPDX-License-Identifier: MIT

public import PortcullisHTTP
import PortcullisJOSE

/// The field in which a proxy sends the certificate of its client.
///
/// RFC 9440 §2.
public struct ClientCertificateField: Sendable, Hashable {
    /// How the field carries the certificate.
    public enum Format: String, Sendable, Hashable, CaseIterable {
        /// A byte sequence with the certificate in DER: `:MIIB…:`.
        ///
        /// RFC 9440 §2.1.
        case rfc9440
        /// The certificate in PEM, percent-encoded, as in nginx's variable `$ssl_client_escaped_cert`.
        ///
        /// An empty value means that the client has no certificate. RFC 7468 §5.
        case pem
    }

    /// The name of the field.
    public var name: FieldName
    /// How the field carries the certificate.
    public var format: Format

    /// `Client-Cert`, as RFC 9440 defines it.
    public static let clientCert = ClientCertificateField("Client-Cert", .rfc9440)

    /// Describes a field.
    public init(_ name: FieldName, _ format: Format) {
        self.name = name
        self.format = format
    }

    /// What a proxy must send, for an operator.
    var expectation: String {
        switch format {
        case .rfc9440: "one \(name) field, a byte sequence"
        case .pem: "one \(name) field, a percent-encoded certificate in PEM"
        }
    }

    /// Returns the certificate of the field, in DER; `nil` if the client has none.
    ///
    /// The field is one line. RFC 9440 §2.2. `Client-Cert-Chain` is ignored: the binding is to the certificate
    /// itself.
    func certificate(in head: borrowing RequestHead) throws(RefusalReason) -> [UInt8]? {
        guard let (range, count) = head.find(name) else { return nil }
        guard count == 1 else { throw .malformedClientCertificate }
        switch format {
        case .rfc9440:
            guard let der = Self.byteSequence(head.bytes[range]) else { throw .malformedClientCertificate }
            return der
        case .pem:
            guard !range.isEmpty else { return nil }
            guard let der = Self.escapedPEM(head.bytes[range]) else { throw .malformedClientCertificate }
            return der
        }
    }

    /// RFC 9440 §2.1, RFC 9651 §3.3.5: one byte sequence, nothing after it.
    private static func byteSequence(_ value: ArraySlice<UInt8>) -> [UInt8]? {
        guard value.count > 2, value.first == 0x3A, value.last == 0x3A else { return nil }
        return decode(Array(value.dropFirst().dropLast()))
    }

    private static let beginning = Array("-----BEGIN CERTIFICATE-----".utf8)
    private static let end = Array("-----END CERTIFICATE-----".utf8)

    /// RFC 7468 §2, §5.1: one certificate, with line ends and nothing else around and within its base64.
    private static func escapedPEM(_ value: ArraySlice<UInt8>) -> [UInt8]? {
        guard let text = percentDecoded(value), text.starts(with: beginning) else { return nil }
        var rest = text.dropFirst(beginning.count)
        while let last = rest.last, isLineEnd(last) { rest.removeLast() }
        guard rest.count > end.count, rest.suffix(end.count).elementsEqual(end) else { return nil }
        rest.removeLast(end.count)
        guard let first = rest.first, isLineEnd(first), let last = rest.last, isLineEnd(last) else {
            return nil
        }
        return decode(rest.filter { !isLineEnd($0) })
    }

    private static func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }

    private static func decode(_ base64: [UInt8]) -> [UInt8]? {
        base64.isEmpty ? nil : base64.withUnsafeBytes { Base64.decode($0) }
    }

    private static func percentDecoded(_ value: ArraySlice<UInt8>) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(value.count)
        var rest = value
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                decoded.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(CharacterClass.hexadecimalValue),
                let low = rest.popFirst().flatMap(CharacterClass.hexadecimalValue)
            else { return nil }
            decoded.append(high << 4 | low)
        }
        return decoded
    }
}
