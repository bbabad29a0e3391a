// SPDX-License-Identifier: MIT

public import Portcullis
internal import PortcullisHTTP
package import PortcullisTransport

/// The trusted proxies in front of the server, and which of their fields the server trusts.
///
/// The server ignores these fields from every other peer. They grant no access: no challenge, document or
/// audience is derived from a request. They only decide which client is logged, and which of several
/// authorities a request is for.
///
/// RFC 7239 §8.1.
public struct TrustedProxies: Sendable, Hashable {
    /// The one family of fields that the proxies set in every request, replacing or extending the client's.
    public enum ForwardedFamily: String, Sendable, Hashable, CaseIterable {
        /// Neither family is trusted.
        case none
        /// `Forwarded`. RFC 7239.
        case forwarded
        /// `X-Forwarded-For`, `X-Forwarded-Host` and `X-Forwarded-Proto`.
        case xForwarded = "x-forwarded"
    }

    /// No proxy.
    public static let none = TrustedProxies(networks: [], includesUnixSockets: false)

    /// The family of fields that carries the client's address, host and scheme.
    public var forwarded = ForwardedFamily.none
    /// Whether every connection from one of the proxies begins with a PROXY protocol header, version 1 or 2.
    ///
    /// The server closes a proxy's connection without one; connections of other peers have none. The address
    /// in the header becomes the connection's peer, and decides whether its fields are trusted.
    public var usesProxyProtocol = false
    /// Whether the proxies terminate the clients' TLS and send the client's certificate in a field.
    ///
    /// They must remove a field of this name that a client has sent. If `true`, the certificate of a proxy's
    /// own connection does not count; if `false`, it is the client's. RFC 9440 §2.4.
    public var sendsClientCertificates = false
    /// The field with that certificate.
    ///
    /// Default `Client-Cert`, as in RFC 9440.
    public var clientCertificateField = ClientCertificateField.clientCert {
        didSet { fieldSource = .field(clientCertificateField) }
    }
    /// Made once, not for each request.
    private var fieldSource = ClientCertificate.trustedField

    private let networks: [IPNetwork]
    private let includesUnixSockets: Bool

    private init(networks: [IPNetwork], includesUnixSockets: Bool) {
        self.networks = networks
        self.includesUnixSockets = includesUnixSockets
    }

    /// Makes trusted proxies from their addresses.
    ///
    /// - Parameters:
    ///   - networks: Networks in CIDR notation, `10.0.0.0/8` or `::1/128`; single addresses; `unix` for every
    ///     peer on a Unix domain socket.
    ///   - forwarded: The trusted family of fields. Default: none.
    ///   - usesProxyProtocol: Whether their connections begin with a PROXY protocol header. Default: no.
    ///   - sendsClientCertificates: Whether their `Client-Cert` is trusted. Default: no.
    /// - Throws: `ConfigurationError` with every address that cannot be parsed.
    public init(
        _ networks: [String], forwarded: ForwardedFamily = .none, usesProxyProtocol: Bool = false,
        sendsClientCertificates: Bool = false
    ) throws(ConfigurationError) {
        var problems: [ConfigurationError.Problem] = []
        var parsed: [IPNetwork] = []
        for text in networks where text != Self.unix {
            if let network = IPNetwork(text) {
                parsed.append(network)
            } else {
                problems.append(
                    .init("the proxy \(text) is not an IP address or a network such as 10.0.0.0/8"))
            }
        }
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        self.init(networks: parsed, includesUnixSockets: networks.contains(Self.unix))
        self.forwarded = forwarded
        self.usesProxyProtocol = usesProxyProtocol
        self.sendsClientCertificates = sendsClientCertificates
    }

    /// The word for every peer on a Unix domain socket.
    package static let unix = "unix"

    /// The source of client certificates on a proxy's connection; `nil` for the connection itself.
    @inline(__always)
    package var certificateSource: ClientCertificate? { sendsClientCertificates ? fieldSource : nil }

    package var isEmpty: Bool { networks.isEmpty && !includesUnixSockets }

    package func contains(_ peer: SocketAddress) -> Bool {
        if isEmpty { return false }
        guard let address = peer.ipAddress else { return includesUnixSockets && peer.isUnix }
        return contains(address)
    }

    func contains(_ address: IPAddress) -> Bool {
        networks.contains { $0.contains(address) }
    }
}
