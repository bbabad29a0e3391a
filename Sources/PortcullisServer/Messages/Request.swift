// SPDX-License-Identifier: MIT

package import Portcullis
public import PortcullisHTTP
public import PortcullisTransport

/// A request, as a handler receives it.
///
/// Its fields are as the client sent them, `Authorization` included; only ``token``, and the second parameter of
/// handlers in ``Routes/protect(_:_:)``, show that a token was validated.
public struct Request: Sendable {
    /// The method, target and fields.
    public var head: RequestHead { arrival.head }
    /// The path of the target, percent-normalised, without the query.
    ///
    /// RFC 3986 §3.3.
    public var path: String { arrival.path.text }
    /// The query of the target as received, without the `?`; `nil` if there is none.
    ///
    /// ``queryParameters`` has its parts. RFC 3986 §3.4.
    public var query: String? { arrival.queryRange.map { arrival.head.text($0) } }
    /// The parameters of the query, decoded; none if there is no query.
    ///
    /// Reads the query each time; costs nothing unless it is used.
    ///
    /// - Throws: ``QueryError`` for more than ``QueryParameters/maximumCount`` parameters. A handler may let it
    ///   propagate: the server answers 400.
    ///
    /// URL Standard §5.1.
    public var queryParameters: QueryParameters {
        get throws(QueryError) {
            guard let range = arrival.queryRange else { return try QueryParameters([]) }
            return try QueryParameters(arrival.head.bytes[range])
        }
    }
    /// The declared route that the request was matched to; `nil` if nothing of the app answers it, as with 404,
    /// 405 and the documents of the server.
    ///
    /// Also known to middleware. Costs nothing unless it is used.
    public var matchedRoute: MatchedRoute? { MatchedRoute(arrival.route) }
    /// When the server begins to stop; never for a request that no server received.
    ///
    /// Costs nothing unless it is used.
    public var stopping: ServerStopping { arrival.route?.stopping ?? ServerStopping() }
    /// The values of the parameters in the route's pattern, decoded.
    public internal(set) var parameters: PathParameters
    /// The content.
    ///
    /// Empty unless the client sent some. Middleware that has read it may pass on another one, such as
    /// `RequestBody.bytes(_:)`.
    public var body: RequestBody
    /// The peer of the connection.
    ///
    /// Behind a proxy it is the proxy, unless the PROXY protocol names the client.
    public var peer: SocketAddress { arrival.peer }
    /// The request ID, as in the access log and the response; `nil` if requests get no IDs.
    ///
    /// See ``Server/Configuration/assignsRequestIDs``.
    public var id: String? { arrival.id }
    /// What trusted proxies state about the origin of the request; `nil` without their fields.
    ///
    /// See ``Server/Configuration/proxies``.
    public var forwarding: Forwarding? { arrival.forwarding }
    /// The trace that the request belongs to: the one that it names if ``Server/Configuration/traces`` lets it,
    /// otherwise a new one, the same each time.
    ///
    /// Reads the fields each time; costs nothing unless it is used. W3C Trace Context.
    public var trace: TraceContext {
        .of(arrival.head, isTrusted: arrival.continuesTrace, seed: arrival.traceSeed)
    }
    /// Whether the peer is a trusted proxy.
    package var isFromTrustedProxy: Bool { arrival.isFromTrustedProxy }
    /// Whether a refusal must carry a finding.
    package var describesRefusals: Bool { arrival.describesRefusals }
    /// The client's TLS certificate in DER, with proven possession of its key; `nil` without one.
    ///
    /// The issuer was checked only if the server names authorities. `nil` on a connection from a trusted proxy
    /// that sends its clients' certificates. RFC 8705 §3.
    public var clientCertificate: [UInt8]? {
        if case .connection(let der) = certificateSource { der } else { nil }
    }
    /// The source of the client's certificate for the gate.
    package var certificateSource: ClientCertificate { arrival.certificateSource }
    /// The received parts, which nothing changes on the way to the handler.
    private let arrival: Arrival
    /// The token that the gate has validated, for middleware and handlers behind it; otherwise `nil`.
    public package(set) var token: AccessToken?

    package init(
        head: RequestHead, path: RequestPath, queryRange: Range<Int>?,
        parameters: PathParameters = PathParameters(),
        body: RequestBody, peer: SocketAddress, id: String? = nil,
        forwarding: Forwarding? = nil, isFromTrustedProxy: Bool = false,
        certificateSource: ClientCertificate = .none, describesRefusals: Bool = false,
        traceSeed: TraceSeed = TraceSeed(), continuesTrace: Bool = false,
        route: (any RouteDescription)? = nil
    ) {
        self.parameters = parameters
        self.body = body
        arrival = Arrival(
            head: head, path: path, queryRange: queryRange, peer: peer, id: id, forwarding: forwarding,
            isFromTrustedProxy: isFromTrustedProxy, describesRefusals: describesRefusals,
            certificateSource: certificateSource, traceSeed: traceSeed, continuesTrace: continuesTrace,
            route: route)
    }

    /// Shared by all copies of a request, so that copies are cheap.
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
        let traceSeed: TraceSeed
        let continuesTrace: Bool
        let route: (any RouteDescription)?

        init(
            head: RequestHead, path: RequestPath, queryRange: Range<Int>?, peer: SocketAddress, id: String?,
            forwarding: Forwarding?, isFromTrustedProxy: Bool, describesRefusals: Bool,
            certificateSource: ClientCertificate, traceSeed: TraceSeed, continuesTrace: Bool,
            route: (any RouteDescription)?
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
            self.traceSeed = traceSeed
            self.continuesTrace = continuesTrace
            self.route = route
        }
    }

    /// The client's address without a port, according to trusted proxies; otherwise the peer's.
    ///
    /// For logs and rough limits, not for access control.
    public var clientAddress: String { forwarding?.client ?? peer.host }

    /// The method.
    public var method: Method { arrival.head.method }

    /// The fields, in order, with duplicates.
    public var fields: RequestFields { arrival.head.fields }
}

/// The values of the parameters in a route's pattern.
public struct PathParameters: Sendable, Hashable, Sequence {
    private var list: [Parameter]

    /// One parameter with its value.
    public struct Parameter: Sendable, Hashable {
        /// The name, as in the pattern, without braces.
        public let name: String
        /// The segment or, for a final `{name...}`, the rest of the path, percent-decoded.
        public let value: String
    }

    package init(_ list: [Parameter] = []) {
        self.list = list
    }

    /// The value of a parameter in the route's pattern.
    ///
    /// Traps for any other name, because that is a mistake in the program.
    public subscript(
        _ name: String, file: StaticString = #fileID, line: UInt = #line
    ) -> String {
        guard let parameter = list.first(where: { $0.name == name }) else {
            endForMistake(
                "The route's pattern has no parameter named \(String(reflecting: name)).",
                file: file, line: line)
        }
        return parameter.value
    }

    /// Iterates over the parameters in the order of the pattern.
    public func makeIterator() -> IndexingIterator<[Parameter]> {
        list.makeIterator()
    }
}
