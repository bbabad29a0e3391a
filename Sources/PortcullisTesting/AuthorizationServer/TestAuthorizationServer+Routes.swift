// SPDX-License-Identifier: MIT

import PortcullisHTTP
public import PortcullisServer

extension TestAuthorizationServer {
    private static let maxBodyByteCount = 65_536

    /// Adds the endpoints to a server, at the paths that the issuer's URL demands.
    ///
    /// That the server is reached at the issuer's authority is the caller's affair.
    public func mount(on routes: inout Routes) {
        for endpoint in Endpoint.allCases {
            routes.on([.get, .post, .options], paths.path(of: endpoint)) { request in
                try await self.respond(to: request)
            }
        }
    }

    private func respond(to request: Request) async throws -> Response {
        let answer = handle(
            method: request.method.name, target: request.head.target, fields: Array(request.fields),
            body: try await request.body.collect(upTo: Self.maxBodyByteCount))
        // Ends with an error when the client goes away or the server stops.
        if answer.hangs { try await Task.sleep(for: .seconds(86_400)) }
        return Response(status: answer.status, fields: answer.fields, body: .bytes(answer.body))
    }
}
