// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisRedis

/// What `store` says: where processes keep what they have to share.
package struct StoreSettings: Sendable, Hashable {
    package let url: String
    var username: String?
    var password: String?
    /// A file with the password, relative to the configuration file.
    var passwordFile: String?
    var certificateAuthorities: String?
    /// The certificate to present to the store, and its key.
    var clientCertificate: String?
    var clientPrivateKey: String?
    var keyPrefix = "portcullis:"
    var timeout: Duration = .milliseconds(500)

    /// Whether both mean the same records, whatever the way to them.
    func isSamePlace(as other: StoreSettings) -> Bool {
        url.utf8.elementsEqual(other.url.utf8) && keyPrefix.utf8.elementsEqual(other.keyPrefix.utf8)
    }
}

extension StoreSettings {
    init?(_ reader: ObjectReader) {
        let url = reader.requiredString("url", Self.form)
        username = reader.string("username")
        password = reader.string("password")
        passwordFile = reader.string("password_file")
        certificateAuthorities = reader.string("ca_certificates")
        clientCertificate = reader.string("client_certificate")
        clientPrivateKey = reader.string("client_private_key")
        keyPrefix = reader.string("key_prefix") ?? keyPrefix
        timeout = reader.seconds("timeout_seconds", in: 0.01...10) ?? timeout
        reader.finish()
        guard let url else { return nil }
        self.url = url
        checkURL(reader)
        checkCredentials(reader)
    }

    private static let form =
        "\"redis://HOST:PORT/DATABASE\", or \"rediss:\" for TLS, without user, password and query"

    private func checkURL(_ reader: ObjectReader) {
        do throws(RedisConfigurationError) {
            try RedisConfiguration(url: url).validateURL()
        } catch {
            return reader.error("url", "must be \(Self.form)")
        }
        guard !url.utf8.starts(with: "rediss:".utf8) else { return }
        let local = ["127.", "localhost", "[::1]"]
        if !local.contains(where: { url.utf8.starts(with: "redis://\($0)".utf8) }) {
            reader.warning(
                "url",
                "is not encrypted: whoever is on the way reads claims, may let proofs be used twice, and "
                    + "sees the password; use \"rediss:\"")
        }
        for name in ["ca_certificates", "client_certificate", "client_private_key"]
        where reader.object[name] != nil {
            reader.error(name, "is for TLS, which takes a url that begins with \"rediss:\"")
        }
    }

    private func checkCredentials(_ reader: ObjectReader) {
        if password != nil, passwordFile != nil {
            reader.error("password_file", "stands beside password; must be one of them")
        }
        if username != nil, password == nil, passwordFile == nil {
            reader.error("username", "stands without a password; give password or password_file")
        }
        if (clientCertificate == nil) != (clientPrivateKey == nil) {
            let missing = clientCertificate == nil ? "client_certificate" : "client_private_key"
            reader.error(missing, "missing; must be given beside the other half of the certificate")
        }
    }
}
