// SPDX-License-Identifier: MIT

package import Portcullis
import PortcullisJOSE
import PortcullisTransport

extension PublishingSettings {
    /// Creates the library's settings, with the keys that the file names.
    ///
    /// Blocks its thread while it reads them.
    func makePublishing(relativeTo file: String, _ findings: FindingCollector) -> MetadataPublishing {
        var publishing = MetadataPublishing()
        publishing.additionalSuffixes = additionalSuffixes
        publishing.advertisedURL = metadataURL
        publishing.linksFromAnswers = hasLinkField
        publishing.mirrorsAuthorizationServer = mirrorsAuthorizationServer
        publishing.signing = signing?.makeSigning(relativeTo: file, findings)
        return publishing
    }
}

extension SignedMetadataSettings {
    fileprivate func makeSigning(relativeTo file: String, _ findings: FindingCollector) -> MetadataSigning? {
        let resolved = ConfigurationFile.resolve(privateKey, relativeTo: file)
        guard let key = ConfigurationFile.privateKey(from: resolved) else {
            findings.error(
                JSONPath(text: path)["private_key"],
                "cannot be read; must be a file with one private key as a JWK (RFC 7517 section 4)")
            return nil
        }
        var signing = MetadataSigning(key: key, algorithm: algorithm, issuer: issuer)
        signing.lifetime = lifetime
        signing.answersAcceptedJWT = answersAcceptedJWT
        for (index, name) in publishedKeys.enumerated() {
            let keys = ConfigurationFile.publicKeys(from: ConfigurationFile.resolve(name, relativeTo: file))
            if keys.isEmpty {
                findings.error(
                    JSONPath(text: path)["published_keys"][index],
                    "cannot be read; must be a file with a JWK or a set of them (RFC 7517)")
            }
            signing.otherKeys += keys
        }
        return signing
    }
}

extension ConfigurationFile {
    /// Creates the fetcher for self-checks, or returns `nil` if they use the system's certificates and
    /// authorization servers are called without a proxy.
    ///
    /// Reads the certificates that the file names.
    package func makeSelfCheckFetcher(relativeTo file: String) throws(InvalidConfiguration)
        -> HTTPClientFetcher?
    {
        let name = selfCheck.certificateAuthorities
        guard name != nil || server.outbound.proxies() != .none else { return nil }
        let findings = FindingCollector()
        let fetcher = makeFetcher(
            JSONPath.root["self_check"]["ca_certificates"],
            roots: name.map { .pem(.file(Self.resolve($0, relativeTo: file))) } ?? .system, isDirect: true,
            findings)
        if findings.hasErrors { throw InvalidConfiguration(findings: findings.findings) }
        return fetcher
    }

    /// Reads the public keys of a file that holds one JWK or a JWK set; none if it cannot be read.
    ///
    /// Blocks its thread while it reads.
    fileprivate static func publicKeys(from path: String) -> [JWK] {
        guard let bytes = try? contents(of: path), let json = try? JSONValue.parse(bytes) else { return [] }
        if let set = try? JWKSet(json) { return set.keys }
        guard let object = json.object, let key = try? JWK(object) else { return [] }
        return [key]
    }
}
