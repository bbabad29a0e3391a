// SPDX-License-Identifier: MIT

public import PortcullisTransport

/// The address, credentials and TLS settings of a Redis or Valkey server.
///
/// Redacts itself when printed.
public struct RedisConfiguration: Sendable, CustomStringConvertible, CustomReflectable {
    /// `redis://host:port/database`, or `rediss:` for TLS; without user information and query.
    ///
    /// The default port is 6379, the default database 0.
    public var url: String
    /// The user to authenticate as; `nil`: the server's default user.
    public var username: String?
    /// The password; `nil`: no authentication.
    public var password: String?
    /// The certificate authorities to trust for the server, with TLS.
    ///
    /// Default: the system's.
    public var roots: TrustedRoots = .system
    /// The client certificate to present to the server, with TLS.
    ///
    /// Default: none.
    public var identity: TLSIdentity?
    /// The prefix of all keys and channels.
    ///
    /// Default `portcullis:`.
    public var keyPrefix = "portcullis:"
    /// The maximum duration of a command, connecting included.
    ///
    /// Default 0.5 seconds: requests wait for it.
    public var timeout: Duration = .milliseconds(500)

    /// Creates a configuration, without checking it or connecting.
    public init(url: String) {
        self.url = url
    }

    /// Checks the form of the URL, without connecting.
    ///
    /// - Throws: ``RedisConfigurationError/invalidURL``.
    public func validateURL() throws(RedisConfigurationError) {
        _ = try RedisLocation(url)
    }

    /// A redacted description.
    public var description: String { "RedisConfiguration(redacted)" }
    /// An empty mirror, so that no secret is printed.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// The error for a configuration that cannot be used.
public enum RedisConfigurationError: Error, Sendable, Hashable {
    /// The URL does not have the form of ``RedisConfiguration/url``.
    case invalidURL
    /// Roots, certificate or key cannot be read or used.
    case tls(TLSError)
    /// The system provides no event loop; the number is `errno`.
    case unavailable(Int32)
}

extension RedisConfigurationError: CustomStringConvertible {
    /// A phrase for a log, without the URL.
    public var description: String {
        switch self {
        case .invalidURL: "the URL of the store is malformed"
        case .tls(let error): "TLS: \(error)"
        case .unavailable(let code): SocketError(call: .epoll, code: code).description
        }
    }
}
