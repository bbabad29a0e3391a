// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisRedis

/// The `store` object: the Redis store that several processes share.
package struct StoreSettings: Sendable, Hashable {
    package let url: String
    var username: String?
    var password: String?
    /// A file with the password, relative to the configuration file.
    var passwordFile: String?
    var certificateAuthorities: String?
    /// The client certificate for the store, and its key.
    var clientCertificate: String?
    var clientPrivateKey: String?
    var keyPrefix = "portcullis:"
    var timeout: Duration = .milliseconds(500)

    /// Whether both have the same records; ignores the credentials.
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
        "\"redis://HOST:PORT/DATABASE\", or \"rediss:\" for TLS, without user, password or query"

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
                "is not encrypted: anyone on the network path can read claims and the password, and let "
                    + "proofs be used twice; use \"rediss:\"")
        }
        for name in ["ca_certificates", "client_certificate", "client_private_key"]
        where reader.object[name] != nil {
            reader.error(name, "is used only with TLS; use a \"rediss:\" url, or remove this key")
        }
    }

    private func checkCredentials(_ reader: ObjectReader) {
        if password != nil, passwordFile != nil {
            reader.error("password_file", "must not be given together with password; remove one of them")
        }
        if username != nil, password == nil, passwordFile == nil {
            reader.error("username", "needs a password; set password or password_file")
        }
        if (clientCertificate == nil) != (clientPrivateKey == nil) {
            let missing = clientCertificate == nil ? "client_certificate" : "client_private_key"
            let given = clientCertificate == nil ? "client_private_key" : "client_certificate"
            reader.error(missing, "missing; must be given together with \(given)")
        }
    }
}
