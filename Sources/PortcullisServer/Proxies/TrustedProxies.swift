// SPDX-License-Identifier: MIT

public import Portcullis
internal import PortcullisHTTP
package import PortcullisTransport

/// The proxies in front of the server, and what they are believed.
///
/// From any other peer the fields named here do not exist. Believing them opens nothing by itself: no challenge, document or audience
/// comes from a request. They decide which client is logged, which of several authorities a request is for, and nothing else.
///
/// RFC 7239 §8.1.
public struct TrustedProxies: Sendable, Hashable {
    /// The one family of fields that the proxies set, in every request, replacing or adding to what the client sent.
    public enum ForwardedFamily: String, Sendable, Hashable, CaseIterable {
        /// None is believed.
        case none
        /// `Forwarded`. RFC 7239.
        case forwarded
        /// `X-Forwarded-For`, `X-Forwarded-Host` and `X-Forwarded-Proto`.
        case xForwarded = "x-forwarded"
    }

    /// No proxy.
    public static let none = TrustedProxies(networks: [], includesUnixSockets: false)

    /// What says where a request came from.
    public var forwarded = ForwardedFamily.none
    /// Whether every connection from one of the proxies begins with a PROXY protocol header, version 1 or 2.
    ///
    /// A connection from a proxy without one is closed; one from elsewhere begins with its request as ever. The address in the
    /// header becomes the connection's peer, and it is that peer's fields that are believed or not.
    public var usesProxyProtocol = false
    /// Whether the proxies end the clients' TLS and say in `Client-Cert` which certificate a client has presented.
    ///
    /// They must strip a field of this name that a client has sent. From a proxy the certificate of its own connection never counts,
    /// whatever stands here. RFC 9440 §2.4.
    public var sendsClientCertificates = false

    private let networks: [IPNetwork]
    private let includesUnixSockets: Bool

    private init(networks: [IPNetwork], includesUnixSockets: Bool) {
        self.networks = networks
        self.includesUnixSockets = includesUnixSockets
    }

    /// Takes the proxies' addresses.
    ///
    /// - Parameters:
    ///   - networks: In CIDR notation, `10.0.0.0/8` or `::1/128`; single addresses; `unix` for whoever connects to a Unix domain socket.
    ///   - forwarded: What they are believed. Default: nothing.
    ///   - usesProxyProtocol: Whether their connections begin with a PROXY protocol header. Default: no.
    ///   - sendsClientCertificates: Whether their `Client-Cert` is believed. Default: no.
    /// - Throws: `ConfigurationError` with every one that is not understood.
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
                problems.append(.init("a proxy's address is an IP address or a network such as 10.0.0.0/8"))
            }
        }
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        self.init(networks: parsed, includesUnixSockets: networks.contains(Self.unix))
        self.forwarded = forwarded
        self.usesProxyProtocol = usesProxyProtocol
        self.sendsClientCertificates = sendsClientCertificates
    }

    /// The word for whoever connects to a Unix domain socket.
    package static let unix = "unix"

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
