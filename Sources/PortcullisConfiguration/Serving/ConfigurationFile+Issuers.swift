// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisTransport

extension ConfigurationFile {
    /// Creates a trusted issuer with the certificates and keys that the file names.
    ///
    /// Returns `nil` if one of them is invalid.
    func makeIssuer(
        _ server: AuthorizationServerSettings, relativeTo file: String, storingIn store: SharedStore?,
        _ findings: FindingCollector
    ) -> TrustedIssuer? {
        var issuer = server.trustedIssuer
        issuer.privateAddresses = self.server.privateAddresses
        let place = JSONPath(text: server.path)["ca_certificates"]
        let roots = server.certificateAuthorities.map {
            TrustedRoots.pem(.file(Self.resolve($0, relativeTo: file)))
        }
        if let roots { issuer.fetcher = makeFetcher(place, roots: roots, findings) }
        guard let settings = server.introspection else { return issuer }
        guard let authentication = makeAuthentication(settings, relativeTo: file, findings) else {
            return nil
        }
        var introspection = TrustedIssuer.Introspection(
            endpoint: settings.endpoint, authentication: authentication)
        introspection.sharedCache = store?.introspection
        introspection.signedResponseAudience = settings.signedResponseAudience
        if case .tlsClientAuth(_, let certificate, let key) = settings.authentication {
            let identity = TLSIdentity(
                certificateChain: .file(Self.resolve(certificate, relativeTo: file)),
                privateKey: .file(Self.resolve(key, relativeTo: file)))
            guard
                let fetcher = makeFetcher(
                    JSONPath(text: settings.path)["client_certificate"], roots: roots ?? .system,
                    identity: identity, findings)
            else { return nil }
            introspection.fetcher = fetcher
        }
        issuer.introspection = introspection
        return issuer
    }

    private func makeAuthentication(
        _ settings: AuthorizationServerSettings.Introspection, relativeTo file: String,
        _ findings: FindingCollector
    ) -> ClientAuthentication? {
        switch settings.authentication {
        case .clientSecretBasic(let id, let secret): return .clientSecretBasic(id: id, secret: secret)
        case .clientSecretPost(let id, let secret): return .clientSecretPost(id: id, secret: secret)
        case .tlsClientAuth(let id, _, _): return .tlsClientAuth(id: id)
        case .bearer(let token): return .bearer(token: token)
        case .privateKeyJWT(let id, let name):
            let path = Self.resolve(name, relativeTo: file)
            guard let key = Self.privateKey(from: path) else {
                let reason = Self.whyUnreadable(path)
                findings.error(
                    JSONPath(text: settings.path)["private_key"],
                    reason.map { "\(TerminalText.printable(path)) cannot be opened: \($0)" }
                        ?? "\(TerminalText.printable(path)) cannot be read; must be a file with one private key as a JWK (RFC 7517 section 4)"
                )
                return nil
            }
            return .privateKeyJWT(
                id: id, key: key, audience: settings.assertionAudience, type: settings.assertionType)
        }
    }

    /// Reads a private key, or returns `nil` if the file cannot be read or is not a key.
    ///
    /// Blocks its thread while it reads.
    static func privateKey(from path: String) -> PrivateJWK? {
        guard let bytes = try? contents(of: path), let json = try? JSONValue.parse(bytes),
            case .object(let object) = json
        else { return nil }
        return try? PrivateJWK(object)
    }

    /// Creates a fetcher, or returns `nil` if its certificates cannot be read.
    ///
    /// - Parameter isDirect: Whether it calls the server's own URLs, for which there is no proxy.
    func makeFetcher(
        _ place: JSONPath, roots: TrustedRoots = .system, identity: TLSIdentity? = nil,
        isDirect: Bool = false, _ findings: FindingCollector
    ) -> HTTPClientFetcher? {
        do throws(HTTPClientError) {
            return HTTPClientFetcher(
                try HTTPClient(
                    validating: HTTPClient.Configuration(
                        roots: roots, identity: identity,
                        proxies: isDirect ? .none : server.outbound.proxies(),
                        userAgent: server.outbound.userAgent)))
        } catch {
            if case .pem(.file(let path)) = roots, let reason = Self.whyUnreadable(path) {
                findings.error(place, "\(TerminalText.printable(path)) cannot be opened: \(reason)")
                return nil
            }
            findings.error(
                place,
                error == .tls(.unusableRoots) || identity == nil
                    ? "certificates cannot be read; must be a file of certificates in PEM"
                    : "cannot be used; must be a certificate in PEM that matches client_private_key")
            return nil
        }
    }
}
