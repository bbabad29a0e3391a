// SPDX-License-Identifier: MIT

import Portcullis
public import PortcullisHTTP
public import PortcullisServer
import PortcullisTransport

/// Runs the routes of an app in the process of a test, without sockets.
///
///     let app = RouteTester { $0.protect(notes) { $0.get("/", requiring: "notes:read") { _, _ in .ok } } }
///     #expect(try await app.get("/notes").status == .unauthorized)
///     #expect(try await app.as(issuer.mint(for: notes, scope: "notes:read")).get("/notes").status == .ok)
///
/// Middleware, gates, documents, CORS and errors are as in a server. What belongs to connections is missing:
/// the limits of heads and bodies, deadlines, `Date` and framing fields, the access log, metrics, request IDs.
/// A request comes from 127.0.0.1, which is no trusted proxy, and has no client certificate.
public struct RouteTester: Sendable {
    private let table: RoutingTable
    private let pool = BlockingPool()
    private let host: String
    private var credentials: [(String, String)] = []
    private var proof: (client: TestDPoPClient, token: String)?

    /// Makes a tester of declared routes.
    ///
    /// Traps with every problem, as a server does.
    ///
    /// - Parameters:
    ///   - host: The `Host` of each request. Default: the authority of the first resource, or `localhost`.
    ///   - file: The file that a mistake is reported in. Default: the caller's.
    ///   - line: The line that a mistake is reported in. Default: the caller's.
    ///   - declare: Adds the routes.
    public init(
        host: String? = nil, file: StaticString = #fileID, line: UInt = #line,
        _ declare: (inout Routes) -> Void
    ) {
        var routes = Routes()
        declare(&routes)
        do throws(ConfigurationError) {
            table = try RoutingTable(routes)
        } catch {
            endForMistake(error.description, file: file, line: line)
        }
        self.host = host ?? table.resources.first?.identifier.authority ?? "localhost"
    }

    /// The same routes, with a bearer token in each request.
    ///
    /// RFC 6750 §2.1.
    public func `as`(_ token: String) -> RouteTester {
        var tester = self
        tester.credentials = [("Authorization", "Bearer \(token)")]
        tester.proof = nil
        return tester
    }

    /// The same routes, with a token in the DPoP scheme and a new proof in each request.
    ///
    /// RFC 9449 §7.1.
    public func `as`(_ token: String, provenBy client: TestDPoPClient) -> RouteTester {
        var tester = self
        tester.credentials = [("Authorization", "DPoP \(token)")]
        tester.proof = (client, token)
        return tester
    }

    /// Sends `GET`.
    public func get(_ target: String, fields: [(String, String)] = []) async throws -> TestResponse {
        try await send(.get, target, fields: fields)
    }

    /// Sends `POST` with content.
    ///
    /// - Parameters:
    ///   - target: The path, with the query if there is one.
    ///   - content: The content.
    ///   - contentType: The media type. Default: JSON.
    ///   - fields: The fields besides `Host`, `Content-Type` and those of the credentials.
    public func post(
        _ target: String, _ content: String, contentType: String = "application/json",
        fields: [(String, String)] = []
    ) async throws -> TestResponse {
        try await send(
            .post, target, fields: [("Content-Type", contentType)] + fields, content: Array(content.utf8))
    }

    /// Sends a request.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - target: The path, with the query if there is one.
    ///   - fields: The fields besides `Host` and those of the credentials.
    ///   - content: The content. Default: none.
    /// - Throws: `MalformedMessage` for a request that a server would refuse before it looks for a route, and
    ///   the error of a handler's stream.
    public func send(
        _ method: Method, _ target: String, fields: [(String, String)] = [], content: [UInt8] = []
    ) async throws -> TestResponse {
        let length = content.isEmpty ? [] : [("Content-Length", String(content.count))]
        let head = try RequestHead(
            method: method, target: target,
            fields: [("Host", host)] + credentials + proofs(method, target) + length + fields)
        let semantics = try RequestSemantics(head)
        let path = try RequestPath(head, semantics)
        let (route, values) = table.destination(
            method, semantics.form, authority: host.lowercased(), path,
            isPreflight: CORSPolicy.isPreflight(head))
        var request = Request(
            head: head, path: path, queryRange: semantics.queryRange,
            parameters: route.parameters(values, in: path),
            body: .bytes(content), peer: SocketAddress(IPAddress(ipv4: 0x7F00_0001), port: 49_152),
            route: route)
        var response = try await response(to: &request, route)
        response.completeProblem(for: head)
        return try await TestResponse(response, to: method)
    }

    private func proofs(_ method: Method, _ target: String) -> [(String, String)] {
        guard let (client, token) = proof else { return [] }
        let scheme = table.resources.first.map { $0.identifier.text.prefix { $0 != ":" } } ?? "https"
        let path = target.prefix { $0 != "?" }
        return [("DPoP", client.proof(method, "\(scheme)://\(host)\(path)", token: token))]
    }

    private func response(to request: inout Request, _ route: CompiledRoute) async throws -> Response {
        var outcome = route.begin(&request)
        while true {
            switch outcome {
            case .response(let response): return response
            case .mustWait(let passage): return try await route.respond(to: passage, pool)
            case .needs(.form, let passage), .needs(.decision, let passage):
                return try await route.respond(to: passage, pool)
            case .needs(let need, let passage):
                passage.supply(await need.answer(form: { nil }))
                outcome = route.advance(passage)
            }
        }
    }
}
