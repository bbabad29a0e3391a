// SPDX-License-Identifier: MIT

package import PortcullisHTTP

/// What trusted proxies state about the origin of a request.
///
/// RFC 7239 §4.
public final class Forwarding: Sendable {
    /// The address of the client, or of the last hop that is not a trusted proxy; an obfuscated name or
    /// `unknown` if they give no address.
    public let client: String
    /// The host that the client named, in lower case, with an optional port.
    public let host: String?
    /// The client's scheme: `http` or `https`.
    public let scheme: String?
    /// The family of fields that stated it.
    let family: TrustedProxies.ForwardedFamily

    init(client: String, host: String?, scheme: String?, family: TrustedProxies.ForwardedFamily) {
        self.family = family
        self.client = client
        self.host = host
        self.scheme = scheme
    }
}

extension TrustedProxies {
    /// Reads the forwarding fields of a request from a trusted proxy; `nil` if there are none.
    ///
    /// Reads the list from its end: the next hop wrote each entry, which counts while that hop is a trusted
    /// proxy.
    ///
    /// - Throws: ``MalformedMessage/invalidForwarding`` for malformed fields.
    package func forwarding(of head: RequestHead) throws(MalformedMessage) -> Forwarding? {
        switch forwarded {
        case .none: nil
        case .forwarded: try byForwarded(head)
        case .xForwarded: try byXForwarded(head)
        }
    }

    private func byForwarded(_ head: RequestHead) throws(MalformedMessage) -> Forwarding? {
        let elements = try ForwardedElement.all(in: head)
        guard !elements.isEmpty else { return nil }
        var client = ForwardedNode.unknown
        var host: String?
        var scheme: String?
        for element in elements.reversed() {
            client = element.sender ?? .unknown
            // The outermost trusted proxy received the client's own host and scheme.
            host = element.host ?? host
            scheme = element.scheme ?? scheme
            guard case .address(let address) = client, contains(address) else { break }
        }
        return Forwarding(client: Self.text(client), host: host, scheme: scheme, family: forwarded)
    }

    private static func text(_ node: ForwardedNode) -> String {
        switch node {
        case .address(let address): address.description
        case .obfuscated(let name): name
        case .unknown: "unknown"
        }
    }

    private static let xForwardedFor: FieldName = "X-Forwarded-For"
    private static let xForwardedHost: FieldName = "X-Forwarded-Host"
    private static let xForwardedProto: FieldName = "X-Forwarded-Proto"

    private func byXForwarded(_ head: RequestHead) throws(MalformedMessage) -> Forwarding? {
        let senders = try Self.elements(Self.xForwardedFor, head)
        // These two need not have an entry for each hop, so the last one counts, from the nearest proxy.
        let host = try Self.elements(Self.xForwardedHost, head).last.map(ForwardedElement.host)
        let scheme = try Self.elements(Self.xForwardedProto, head).last.map(ForwardedElement.scheme)
        guard !senders.isEmpty || host != nil || scheme != nil else { return nil }
        var client = ForwardedNode.unknown
        for sender in senders.reversed() {
            client = try Self.node(sender)
            guard case .address(let address) = client, contains(address) else { break }
        }
        return Forwarding(client: Self.text(client), host: host, scheme: scheme, family: forwarded)
    }

    private static func elements(_ name: FieldName, _ head: RequestHead) throws(MalformedMessage) -> [[UInt8]]
    {
        var elements: [[UInt8]] = []
        for slot in head.slots where head.matches(slot, name) {
            for element in ListElements(in: head.bytes, slot.valueRange) {
                guard elements.count < ForwardedElement.maxCount else { throw .invalidForwarding }
                elements.append(Array(head.bytes[element]))
            }
        }
        return elements
    }

    /// Parses an address; accepts IPv6 without brackets, which is usual in `X-Forwarded-For`.
    private static func node(_ text: [UInt8]) throws(MalformedMessage) -> ForwardedNode {
        if let address = IPAddress(text[...]) { return .address(address) }
        guard let node = ForwardedNode(text[...]) else { throw .invalidForwarding }
        return node
    }
}
