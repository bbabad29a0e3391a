// SPDX-License-Identifier: MIT

import Portcullis
package import PortcullisServer
import PortcullisTransport

extension ConfigurationFile {
    private static let tlsPath = JSONPath.root["server"]["tls"]

    /// Creates the server's TLS settings, or returns `nil` if the file configures no TLS.
    ///
    /// Reads the certificates and keys that the file names.
    ///
    /// - Parameter file: The path of the configuration file, against which file names are resolved.
    /// - Throws: ``InvalidConfiguration`` for files that cannot be read or do not belong together.
    package func makeTLS(relativeTo file: String) throws(InvalidConfiguration) -> Server.TLS? {
        guard let settings = server.tls else { return nil }
        let findings = FindingCollector()
        let certificate = Self.source("certificate", settings.certificate, relativeTo: file, findings)
        let key = Self.source("private_key", settings.privateKey, relativeTo: file, findings)
        let name = settings.clientCertificates == .none ? nil : settings.clientAuthorities
        let authorities = name.flatMap { Self.source("client_ca", $0, relativeTo: file, findings) }
        guard !findings.hasErrors, let certificate, let key else {
            throw InvalidConfiguration(findings: findings.findings)
        }
        let demanded: ClientCertificates =
            switch (settings.clientCertificates, authorities) {
            case (.none, _): .none
            case (.require, let authorities?): .require(issuedBy: authorities)
            case (.request, _), (.require, nil): .request(issuedBy: authorities)
            }
        do throws(TLSError) {
            return try Server.TLS(
                TLSIdentity(certificateChain: certificate, privateKey: key), clientCertificates: demanded)
        } catch {
            let (key, message) = Self.describe(error)
            findings.error(key.map { Self.tlsPath[$0] } ?? Self.tlsPath, message)
            throw InvalidConfiguration(findings: findings.findings)
        }
    }

    private static func source(
        _ key: String, _ name: String, relativeTo file: String, _ findings: FindingCollector
    ) -> PEMSource? {
        let path = resolve(name, relativeTo: file)
        if let reason = whyUnreadable(path) {
            findings.error(tlsPath[key], "\(TerminalText.printable(path)) cannot be opened: \(reason)")
            return nil
        }
        return .file(path)
    }

    private static func describe(_ error: TLSError) -> (key: String?, message: String) {
        switch error {
        case .unusableCertificate:
            ("certificate", "cannot be read; must be a file of certificates in PEM, the server's own first")
        case .unusablePrivateKey:
            ("private_key", "cannot be read; must be a file with a private key in PEM, without a password")
        case .foreignPrivateKey:
            ("private_key", "does not belong to the certificate; must be the certificate's own key")
        case .unusableRoots: ("client_ca", "cannot be read; must be a file of certificates in PEM")
        default: (nil, "cannot be used by the machine's OpenSSL")
        }
    }

    /// Warns if the certificate has expired, expires soon or does not cover a resource's host.
    package func warnings(of tls: Server.TLS) -> [Finding] {
        let path = Self.tlsPath["certificate"].text
        let ofItself = tls.warnings.map { Finding(.warning, path, $0, isSaidAtStart: true) }
        let unnamed = resources.filter { resource in
            let url = resource.metadata.resource.url
            return url.isSecure && !tls.covers(host: url.host.filter { $0 != "[" && $0 != "]" })
        }
        let ofHosts = unnamed.map {
            Finding(
                .warning, path,
                "does not cover the host of \($0.path).metadata.resource; clients refuse it, unless a proxy "
                    + "presents its own")
        }
        return ofItself + ofHosts
    }
}
