// SPDX-License-Identifier: MIT

import Portcullis
package import PortcullisRedis
import PortcullisTransport

/// The Redis store that several processes share.
package final class SharedStore: Sendable {
    let settings: StoreSettings
    private let client: RedisClient
    let replays: RedisReplayStore
    let introspection: RedisIntrospectionCache

    init(_ settings: StoreSettings, _ client: RedisClient) {
        self.settings = settings
        self.client = client
        replays = RedisReplayStore(client)
        introspection = RedisIntrospectionCache(client)
    }

    /// Whether the store answered the last command.
    package var isAvailable: Bool { client.isAvailable }
}

extension ConfigurationFile {
    private static let storePath = JSONPath.root["store"]

    /// Creates the shared store, or returns `nil` if the file configures none.
    ///
    /// Reads the password and the certificates that the file names. Connects at once only with `onEvent`.
    ///
    /// - Parameters:
    ///   - file: The path of the configuration file, against which file names are resolved.
    ///   - onEvent: Receives the store's outages and recoveries. With `nil`, the first use connects.
    /// - Throws: ``InvalidConfiguration`` for files that cannot be read, or a key that does not match its
    ///   certificate.
    package func makeStore(
        relativeTo file: String, onEvent: (@Sendable (RedisEvent) -> Void)? = nil
    ) throws(InvalidConfiguration) -> SharedStore? {
        guard let store else { return nil }
        let findings = FindingCollector()
        var configuration = RedisConfiguration(url: store.url)
        configuration.username = store.username
        configuration.password =
            store.passwordFile.map { Self.password(from: Self.resolve($0, relativeTo: file), findings) }
            ?? store.password
        configuration.keyPrefix = store.keyPrefix
        configuration.timeout = store.timeout
        if let name = store.certificateAuthorities {
            configuration.roots = .pem(.file(Self.resolve(name, relativeTo: file)))
        }
        if let certificate = store.clientCertificate, let key = store.clientPrivateKey {
            configuration.identity = TLSIdentity(
                certificateChain: .file(Self.resolve(certificate, relativeTo: file)),
                privateKey: .file(Self.resolve(key, relativeTo: file)))
        }
        guard !findings.hasErrors else { throw InvalidConfiguration(findings: findings.findings) }
        do throws(RedisConfigurationError) {
            return SharedStore(store, try RedisClient(configuration, onEvent: onEvent))
        } catch {
            let (key, message) = Self.describe(error)
            findings.error(key.map { Self.storePath[$0] } ?? Self.storePath, message)
            throw InvalidConfiguration(findings: findings.findings)
        }
    }

    /// Whether a running store has the same records as this file's store, so that a reload needs no restart.
    package func hasStoreAtSamePlace(as running: SharedStore?) -> Bool {
        switch (store, running) {
        case (nil, nil): true
        case (let store?, let running?): store.isSamePlace(as: running.settings)
        default: false
        }
    }

    /// Reads the first line of a file.
    ///
    /// Blocks its thread while it reads.
    private static func password(from path: String, _ findings: FindingCollector) -> String {
        guard let bytes = try? contents(of: path),
            let line = bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }).first,
            let text = String(validating: line, as: UTF8.self)
        else {
            findings.error(
                storePath["password_file"],
                "cannot be read; must be a file with the password in its first line")
            return ""
        }
        return text
    }

    private static func describe(_ error: RedisConfigurationError) -> (key: String?, message: String) {
        switch error {
        case .tls(.unusableRoots):
            ("ca_certificates", "cannot be read; must be a file of certificates in PEM")
        case .tls(.unusableCertificate):
            (
                "client_certificate",
                "cannot be read; must be a file of certificates in PEM, the client's own first"
            )
        case .tls(.unusablePrivateKey):
            (
                "client_private_key",
                "cannot be read; must be a file with a private key in PEM, without a password"
            )
        case .tls(.foreignPrivateKey):
            ("client_private_key", "does not belong to the certificate; must be the certificate's own key")
        case .invalidURL: ("url", "cannot be used")
        default: (nil, "cannot be set up on this machine")
        }
    }
}
