// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisServer
import PortcullisTesting
import PortcullisTransport

/// A routing table that is asked without a socket.
struct AskedTable {
    let table: RoutingTable

    init(_ declare: (inout Routes) throws -> Void) throws {
        var routes = Routes()
        try declare(&routes)
        table = try RoutingTable(routes)
    }

    struct WaitingRoute: Error {}

    func ask(
        _ target: String, host: String, method: Method = .get, bearer token: String? = nil,
        fields: [(String, String)] = []
    ) async throws -> Response {
        let head = RequestHead.test(method, target, bearer: token, fields: [("Host", host)] + fields)
        let semantics = try RequestSemantics(head)
        let path = try RequestPath(head, semantics)
        let (route, _) = table.destination(method, authority: host.lowercased(), path)
        let request = Request(
            head: head, path: path, queryRange: semantics.queryRange, body: .empty,
            peer: SocketAddress(IPAddress(ipv4: 0x7F00_0001), port: 1))
        return try await answer(route.respondImmediately(to: request, effort: .all(nil)), route)
    }

    /// Asks with little effort first, and with all effort where a signature has to be checked, as the server does.
    func ask(_ request: Request) async throws -> Response {
        let path = try RequestPath(request.head, RequestSemantics(request.head))
        let (route, _) = table.destination(request.method, authority: "api.example.com", path)
        let outcome = route.respondImmediately(to: request)
        guard case .mustVerify(let request, let presented) = outcome else {
            return try await answer(outcome, route)
        }
        return try await answer(route.respondImmediately(to: request, effort: .all(presented)), route)
    }

    private func answer(_ outcome: CompiledRoute.Outcome, _ route: CompiledRoute) async throws -> Response {
        switch outcome {
        case .response(let response): return response
        case .mustVerify: throw WaitingRoute()
        case .mustAsk(let request, let pending, let index):
            let decision = await withCheckedContinuation { continuation in
                pending.ask { continuation.resume(returning: $0) }
            }
            return try await answer(route.resume(request, from: index, decision), route)
        case .mustWait(let request, let index):
            return try await route.respond(to: request, from: index, BlockingPool())
        }
    }
}

extension Response {
    var bytes: [UInt8] {
        if case .bytes(let bytes) = body { bytes } else { [] }
    }
}
