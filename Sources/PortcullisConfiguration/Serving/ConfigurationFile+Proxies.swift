// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
package import PortcullisServer
import PortcullisTransport

/// The proxies of a file, by the JSONPath of their routes.
package struct ConfiguredProxies: Sendable {
    fileprivate var proxies: [String: ReverseProxy] = [:]

    /// No proxies.
    package init() {}

    subscript(route: RouteSettings) -> ReverseProxy? { proxies[route.path] }
}

extension ConfigurationFile {
    /// Creates the proxies of all routes.
    ///
    /// Reads the certificates and keys that the file names; connects to nothing.
    ///
    /// - Parameters:
    ///   - file: The path of the configuration file, against which file names are resolved.
    ///   - onEvent: Receives events for operators. Must not block.
    /// - Throws: ``InvalidConfiguration`` for files that cannot be read.
    package func makeProxies(
        relativeTo file: String, onEvent: @escaping @Sendable (ReverseProxy.Event) -> Void
    ) throws(InvalidConfiguration) -> ConfiguredProxies {
        let findings = FindingCollector()
        var made = ConfiguredProxies()
        for route in publicRoutes.proxied + resources.flatMap(\.routes.proxied) {
            guard let settings = route.proxy else { continue }
            var configuration = settings.configuration
            configuration.onEvent = onEvent
            if let name = settings.certificateAuthorities {
                configuration.roots = .pem(.file(Self.resolve(name, relativeTo: file)))
            }
            if let assertion = settings.assertion {
                configuration.identityAssertion = assertion.make(
                    relativeTo: file, JSONPath(text: settings.path)["identity_assertion"], findings)
            }
            do throws(ConfigurationError) {
                made.proxies[route.path] = try ReverseProxy(validating: configuration)
            } catch {
                for problem in error.problems {
                    findings.error(
                        problem.path.map { JSONPath(text: "\(settings.path).\($0)") }
                            ?? JSONPath(text: settings.path), problem.message)
                }
            }
        }
        if findings.hasErrors { throw InvalidConfiguration(findings: findings.findings) }
        return made
    }
}

extension ProxySettings.Assertion {
    fileprivate func make(
        relativeTo file: String, _ place: JSONPath, _ findings: FindingCollector
    ) -> IdentityAssertion? {
        guard
            let key = ConfigurationFile.privateKey(
                from: ConfigurationFile.resolve(privateKey, relativeTo: file)),
            let assertion = IdentityAssertion(key: key, audience: audience)
        else {
            findings.error(
                place["private_key"],
                "cannot be read; must be a file with one private key as a JWK (RFC 7517 section 4)")
            return nil
        }
        return assertion
    }
}

extension ResourceSettings {
    /// The public keys of its proxies' identity assertions, each once.
    ///
    /// Files that cannot be read are reported by
    /// ``ConfigurationFile/makeProxies(relativeTo:onEvent:)``.
    func assertionKeys(relativeTo file: String) -> [JWK] {
        let names = Set(routes.proxied.compactMap { $0.proxy?.assertion?.privateKey })
        var keys: [JWK] = []
        for name in names.sorted() {
            let path = ConfigurationFile.resolve(name, relativeTo: file)
            guard let key = ConfigurationFile.privateKey(from: path)?.publicKey,
                !keys.contains(where: { $0.thumbprint == key.thumbprint })
            else { continue }
            keys.append(key)
        }
        return keys
    }
}
