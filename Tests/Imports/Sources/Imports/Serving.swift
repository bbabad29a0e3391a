// SPDX-License-Identifier: MIT

// An app with the package's own server needs one import, which leaves the names of clients and keys to other
// packages.

import AsyncHTTPClient
import JWTKit
import PortcullisServer

func serve(key: JWK, fetch: @Sendable @escaping (HTTPClientRequest) async throws -> HTTPClientResponse)
    -> Server
{
    let notes = ProtectedResource(
        "https://api.example.com/notes", trusting: .jwt(issuer: "https://login.example.com"),
        scopes: ["notes:read"], dpop: .accepted)
    return Server(port: 8080) { routes in
        routes.get("/health") { _ in .ok }
        routes.protect(notes) { notes in
            notes.get("/{id}", requiring: "notes:read") {
                (request: Request, token: AccessToken) -> Response in
                .text("\(request.parameters["id"]) of \(token.subject ?? "")")
            }
        }
    }
}
