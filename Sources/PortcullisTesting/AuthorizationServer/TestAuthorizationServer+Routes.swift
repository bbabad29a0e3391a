// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
public import PortcullisServer

extension TestAuthorizationServer {
    private static let maxBodyByteCount = 65_536

    /// Adds the endpoints to a server, at the paths below the issuer's URL.
    ///
    /// The caller makes the server reachable at the issuer's authority.
    public func mount(on routes: inout Routes) {
        for endpoint in Endpoint.allCases {
            routes.on([.get, .post, .options], paths.path(of: endpoint)) { request in
                try await self.respond(to: request)
            }
        }
    }

    private func respond(to request: Request) async throws -> Response {
        let certificate: SHA256Digest?
        do throws(RefusalReason) {
            certificate = try request.certificateSource.thumbprint(in: request.head)
        } catch {
            return Response(status: .badRequest)
        }
        var received = EndpointRequest(
            method: request.method.name, target: request.head.target, fields: Array(request.fields),
            body: try await request.body.collect(upTo: Self.maxBodyByteCount))
        received.certificateThumbprint = certificate?.base64URL
        let answer = await respond(to: received)
        // Ends with an error when the client goes away or the server stops.
        if answer.hangs { try await Task.sleep(for: .seconds(86_400)) }
        return Response(status: answer.status, fields: answer.fields, body: .bytes(answer.body))
    }
}
