// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP

/// Serves the metadata of an authorization server unchanged at the resource's own origin.
///
/// Clients of MCP authorization 2025-03-26 expect the authorization server at the resource's origin.
enum AuthorizationServerMirror {
    /// Waits for the metadata if it has not been loaded.
    @Sendable
    static func respond(to request: Request, for resource: ProtectedResource) async -> Response {
        guard let document = await resource.mirroredAuthorizationServer() else {
            var response = Response(status: .serviceUnavailable)
            response.fields[.retryAfter] = "5"
            response.fields["Access-Control-Allow-Origin"] = "*"
            return response
        }
        let answer = document.response(to: request.head)
        return Response(status: answer.head.status, fields: answer.head.fields, body: .bytes(answer.body))
    }
}
