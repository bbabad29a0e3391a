// SPDX-License-Identifier: MIT

// snippet: README
import Portcullis
import PortcullisServer
// end

// snippet: README
let notes = ProtectedResource(
    "https://api.example.com/notes",
    trusting: .jwt(issuer: "https://login.example.com"),
    scopes: ["notes:read", "notes:write"]
)
let server = Server(port: 8080) { routes in
    routes.get("/health") { _ in .ok }
    routes.protect(notes) { notes in  // paths are relative to the resource
        notes.get("/", requiring: "notes:read") { request, token in  // the token has been validated
            .text("Notes of \(token.subject ?? "an application")")
        }
    }
}
// end

func runServer() async throws {
    // snippet: README
    try await server.run()
    // end
}
