// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisServer
import PortcullisTesting
import PortcullisTransport

/// A routing table that is called without a socket.
struct AskedTable {
    let table: RoutingTable

    init(_ declare: (inout Routes) throws -> Void) throws {
        var routes = Routes()
        try declare(&routes)
        table = try RoutingTable(routes)
    }

    func ask(
        _ target: String, host: String, method: Method = .get, bearer token: String? = nil,
        fields: [(String, String)] = []
    ) async throws -> Response {
        let head = RequestHead.test(method, target, bearer: token, fields: [("Host", host)] + fields)
        let semantics = try RequestSemantics(head)
        let path = try RequestPath(head, semantics)
        let (route, _) = table.destination(method, authority: host.lowercased(), path)
        var request = Request(
            head: head, path: path, queryRange: semantics.queryRange, body: .empty,
            peer: SocketAddress(IPAddress(ipv4: 0x7F00_0001), port: 1))
        return try await answer(route.begin(&request), route)
    }

    /// Calls the table as the server does.
    func ask(_ request: Request) async throws -> Response {
        var request = request
        let path = try RequestPath(request.head, RequestSemantics(request.head))
        let (route, _) = table.destination(request.method, authority: "api.example.com", path)
        return try await answer(route.begin(&request), route)
    }

    private func answer(_ outcome: CompiledRoute.Outcome, _ route: CompiledRoute) async throws -> Response {
        var outcome = outcome
        while true {
            switch outcome {
            case .response(let response): return response
            case .needs(.form, let passage), .needs(.replayVerdict, let passage),
                .needs(.decision, let passage), .mustWait(let passage):
                return try await route.respond(to: passage, BlockingPool())
            case .needs(let need, let passage):
                passage.supply(await need.answer(form: { nil }))
                outcome = route.advance(passage)
            }
        }
    }
}

extension Response {
    var bytes: [UInt8] {
        if case .bytes(let bytes) = body { bytes } else { [] }
    }
}
