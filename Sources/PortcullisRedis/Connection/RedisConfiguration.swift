// SPDX-License-Identifier: MIT

public import PortcullisTransport

/// Where a Redis or Valkey server is, and how it is used.
///
/// Redacts itself when printed.
public struct RedisConfiguration: Sendable, CustomStringConvertible, CustomReflectable {
    /// `redis://host:port/database`, or `rediss:` for TLS; without user information and query.
    ///
    /// Without a port it is 6379, without a number the database is 0.
    public var url: String
    /// The user to authenticate as; nothing for the server's default one.
    public var username: String?
    /// The password; nothing for none.
    public var password: String?
    /// The certificate authorities that vouch for the server, with TLS.
    ///
    /// Default: the system's.
    public var roots: TrustedRoots = .system
    /// The certificate to present to the server, with TLS.
    ///
    /// Default: none.
    public var identity: TLSIdentity?
    /// What the names of all keys and channels begin with.
    ///
    /// Default `portcullis:`.
    public var keyPrefix = "portcullis:"
    /// How long a command may take, connecting included.
    ///
    /// Default 0.5 seconds: requests wait for it.
    public var timeout: Duration = .milliseconds(500)

    /// Names a server; nothing is checked and nothing is connected to yet.
    public init(url: String) {
        self.url = url
    }

    /// Checks the form of the URL, without asking anybody.
    ///
    /// - Throws: ``RedisConfigurationError/invalidURL``.
    public func validateURL() throws(RedisConfigurationError) {
        _ = try RedisLocation(url)
    }

    /// Nothing of what it holds.
    public var description: String { "RedisConfiguration(redacted)" }
    /// Nothing of what it holds.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Why a client can't be made of a configuration.
public enum RedisConfigurationError: Error, Sendable, Hashable {
    /// The URL is not of the form that ``RedisConfiguration/url`` asks for.
    case invalidURL
    /// Roots, certificate or key can't be read or used.
    case tls(TLSError)
    /// The system gives no event loop; the number is `errno`.
    case unavailable(Int32)
}
