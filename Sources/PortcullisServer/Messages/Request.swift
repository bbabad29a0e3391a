// SPDX-License-Identifier: MIT

package import Portcullis
public import PortcullisHTTP
public import PortcullisTransport

/// One request, as a handler sees it.
///
/// Its fields are as the client sent them, `Authorization` among them; that a token was checked shows in the handler's second
/// parameter and nowhere else.
public struct Request: Sendable {
    /// The method, target and fields.
    public var head: RequestHead { arrival.head }
    /// The path of the target, percent-normalised, without the query.
    ///
    /// RFC 3986 §3.3.
    public var path: String { arrival.path.text }
    /// The query of the target as it came, without the `?`; nothing if there is none.
    ///
    /// RFC 3986 §3.4.
    public var query: String? { arrival.queryRange.map { arrival.head.text($0) } }
    /// What the names in the route's pattern stand for, decoded.
    public internal(set) var parameters: PathParameters
    /// The content.
    ///
    /// Empty unless the client sent some.
    public package(set) var body: RequestBody
    /// Whose connection it is.
    ///
    /// Behind a proxy, the proxy's, unless that announces another by the PROXY protocol.
    public var peer: SocketAddress { arrival.peer }
    /// What the request is called in the access log and in its answer, if requests have names.
    ///
    /// ``Server/Configuration/assignsRequestIDs``
    public var id: String? { arrival.id }
    /// What trusted proxies say of where the request came from; nothing if they say nothing, or aren't trusted.
    ///
    /// ``Server/Configuration/proxies``
    public var forwarding: Forwarding? { arrival.forwarding }
    /// Whether the peer is a trusted proxy.
    package var isFromTrustedProxy: Bool { arrival.isFromTrustedProxy }
    /// Whether somebody wants to know what was wrong, should the request be refused.
    package var describesRefusals: Bool { arrival.describesRefusals }
    /// The certificate that the client of a TLS connection has proved to have the key of, in DER; nothing without one.
    ///
    /// Who issued it was checked where the server names authorities, and only there. Nothing on a connection from a trusted proxy.
    /// RFC 8705 §3.
    public var clientCertificate: [UInt8]? {
        if case .connection(let der) = certificateSource { der } else { nil }
    }
    /// Where the gate finds the client's certificate.
    package var certificateSource: ClientCertificate { arrival.certificateSource }
    /// What came, which nothing on the way to the handler changes.
    private let arrival: Arrival
    /// The validated token that the gate has put here for the handlers of a protected block.
    package var token: AccessToken?

    package init(
        head: RequestHead, path: RequestPath, queryRange: Range<Int>?,
        parameters: PathParameters = PathParameters(),
        body: RequestBody, peer: SocketAddress, id: String? = nil,
        forwarding: Forwarding? = nil, isFromTrustedProxy: Bool = false,
        certificateSource: ClientCertificate = .none, describesRefusals: Bool = false
    ) {
        self.parameters = parameters
        self.body = body
        arrival = Arrival(
            head: head, path: path, queryRange: queryRange, peer: peer, id: id, forwarding: forwarding,
            isFromTrustedProxy: isFromTrustedProxy, describesRefusals: describesRefusals,
            certificateSource: certificateSource)
    }

    /// Shared by all copies of a request, so that passing one on costs little.
    private final class Arrival: Sendable {
        let head: RequestHead
        let path: RequestPath
        let queryRange: Range<Int>?
        let peer: SocketAddress
        let id: String?
        let forwarding: Forwarding?
        let isFromTrustedProxy: Bool
        let describesRefusals: Bool
        let certificateSource: ClientCertificate

        init(
            head: RequestHead, path: RequestPath, queryRange: Range<Int>?, peer: SocketAddress, id: String?,
            forwarding: Forwarding?, isFromTrustedProxy: Bool, describesRefusals: Bool,
            certificateSource: ClientCertificate
        ) {
            self.head = head
            self.path = path
            self.queryRange = queryRange
            self.peer = peer
            self.id = id
            self.forwarding = forwarding
            self.isFromTrustedProxy = isFromTrustedProxy
            self.describesRefusals = describesRefusals
            self.certificateSource = certificateSource
        }
    }

    /// The client's address without a port, as far as trusted proxies tell; else the peer's.
    ///
    /// For logs and rough limits, not for access control.
    public var clientAddress: String { forwarding?.client ?? peer.host }

    /// The method.
    public var method: Method { arrival.head.method }

    /// The fields, in order, duplicates kept.
    public var fields: RequestFields { arrival.head.fields }
}

/// The values of the names in a route's pattern.
public struct PathParameters: Sendable, Hashable, Sequence {
    private var list: [Parameter]

    /// One name with its value.
    public struct Parameter: Sendable, Hashable {
        /// The name, as in the pattern, without braces.
        public let name: String
        /// The segment or, for a final `{name...}`, the rest of the path, percent-decoded.
        public let value: String
    }

    package init(_ list: [Parameter] = []) {
        self.list = list
    }

    /// The value of a name that the route's pattern has.
    ///
    /// Traps for any other name: that is a slip in the program.
    public subscript(
        _ name: String, file: StaticString = #fileID, line: UInt = #line
    ) -> String {
        guard let parameter = list.first(where: { $0.name == name }) else {
            endForMistake(
                "The route's pattern has no parameter of the name \(String(reflecting: name)).",
                file: file, line: line)
        }
        return parameter.value
    }

    /// Walks the parameters in the order of the pattern.
    public func makeIterator() -> IndexingIterator<[Parameter]> {
        list.makeIterator()
    }
}
