// SPDX-License-Identifier: MIT

package import Portcullis
package import PortcullisHTTP

/// A certificate of the client that did not count, although its token is bound to one.
///
/// RFC 8705 §6.5, RFC 9440 §2.
package struct IgnoredCertificate: Sendable, Hashable {
    /// Why it did not count, for the log: addresses and names of fields and settings only.
    package let reason: String

    /// Explains a refusal for lack of a certificate, or returns `nil` if the client sent none.
    ///
    /// - Parameters:
    ///   - source: Where the server took the certificate from.
    ///   - peer: The address of the connection.
    package init?(_ head: RequestHead, source: ClientCertificate, isFromTrustedProxy: Bool, peer: String) {
        let field = if case .field(let field) = source { field } else { ClientCertificateField.clientCert }
        let hasField = head.fields.contains(field.name)
        switch source {
        case .none where hasField && isFromTrustedProxy:
            reason = "the trusted proxy \(peer) sent Client-Cert, but client_cert_field is off"
        case .none where hasField:
            reason = "\(peer), which sent Client-Cert, is not in trusted_proxies"
        case .field where !hasField:
            reason =
                "with client_cert_field on, only \(field.name) counts on connections from the trusted proxy "
                + "\(peer), and it sent none"
        default: return nil
        }
    }
}
