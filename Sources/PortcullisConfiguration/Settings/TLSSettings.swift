// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// The `server.tls` object: the certificate's files, and whether clients need certificates.
package struct TLSSettings: Sendable, Hashable {
    package let certificate: String
    package let privateKey: String
    var clientCertificates = ClientCertificateDemand.none
    /// `nil`: with `request`, any certificate is accepted.
    package var clientAuthorities: String?

    init?(_ reader: ObjectReader) {
        let certificate = reader.requiredString(
            "certificate", "a file with the server's certificate and its chain in PEM")
        let privateKey = reader.requiredString("private_key", "a file with the certificate's key in PEM")
        clientCertificates = reader.word("client_certificates", ClientCertificateDemand.self) ?? .none
        clientAuthorities = reader.string("client_ca")
        if clientCertificates == .require, reader.object["client_ca"] == nil {
            reader.error(
                "client_ca",
                "missing; must be a file of certificates in PEM if client_certificates is \"require\"")
        }
        if clientCertificates == .none, clientAuthorities != nil {
            reader.warning(
                "client_ca", "is not used, since client_certificates is neither \"request\" nor \"require\"")
        }
        reader.finish()
        guard let certificate, let privateKey else { return nil }
        self.certificate = certificate
        self.privateKey = privateKey
    }
}

enum ClientCertificateDemand: String, CaseIterable {
    case none, request, require
}
