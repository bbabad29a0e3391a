// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
public import PortcullisTransport

extension Server {
    /// The TLS settings of a server: its certificate, and the client certificates that it requests.
    ///
    /// TLS 1.2 with forward secrecy and AEAD ciphers, and TLS 1.3; ALPN `http/1.1`; session resumption by
    /// tickets for an hour, under keys that only this value has and that change twice a day; no compression,
    /// no renegotiation, no early data. RFC 8446, RFC 9325, RFC 7301.
    public struct TLS: Sendable {
        let context: TLSContext
        /// Whether the server requests client certificates.
        let asksForCertificates: Bool

        /// Reads the certificate, its chain, its key and the client authorities, and blocks its thread
        /// meanwhile.
        ///
        /// Checks that they can be read and that the key belongs to the certificate, but not its names or its
        /// issuer. ``warnings`` reports its validity period.
        ///
        /// - Throws: `TLSError` with `unusableCertificate`, `unusablePrivateKey`, `foreignPrivateKey` or, for
        ///   the authorities, `unusableRoots`.
        public init(
            _ identity: TLSIdentity, clientCertificates: ClientCertificates = .none
        ) throws(TLSError) {
            context = try TLSContext(serverPresenting: identity, askingFor: clientCertificates)
            if case .none = clientCertificates {
                asksForCertificates = false
            } else {
                asksForCertificates = true
            }
        }

        /// Warnings for the operator about the certificate's validity period, as sentences.
        public var warnings: [String] {
            switch context.certificateTime {
            case .current: []
            case .notYetValid: ["the certificate is not valid yet; clients will refuse it"]
            case .expired: ["the certificate has expired; clients will refuse it"]
            case .endsSoon(days: 0): ["the certificate expires within a day"]
            case .endsSoon(let days): ["the certificate expires within \(days + 1) days"]
            }
        }

        /// Whether the certificate is for a host, a DNS name or an address without brackets.
        ///
        /// RFC 9525 §6.
        public func covers(host: String) -> Bool { context.covers(host: host) }
    }
}
