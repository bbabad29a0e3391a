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
        switch route.respondImmediately(to: request, effort: .all(nil)) {
        case .response(let response): return response
        case .mustVerify: throw WaitingRoute()
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
