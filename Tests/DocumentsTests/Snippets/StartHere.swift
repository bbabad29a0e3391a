// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer

/// The snippets of the article "Start here".
struct NoteRoutes {
    // snippet: requirements
    static func declare(_ routes: inout Routes) {
        routes.protect(notes) { notes in
            notes.get("/{id}", requiring: .any(of: ["notes:read", "notes:write"])) { request, token in
                .text("note \(request.parameters["id"]) of \(token.subject ?? "an application")")
            }
            notes.delete("/{id}", requiring: strongLogin) { request, token in
                .noContent
            }
        }
    }

    /// A scope, and a login with a second factor that is at most five minutes old.
    static let strongLogin = AccessRequirement("notes:write")
        .authenticated(by: ["urn:example:mfa"], within: .seconds(300))
    // end

    // snippet: require-in-a-handler
    @Sendable static func share(_ request: Request, _ token: AccessToken) async throws -> Response {
        let text = try await request.body.collect(upTo: 65_536)
        if text.count > 1_024 { try token.require("notes:write") }  // 403 insufficient_scope
        return .text("shared \(text.count) bytes")
    }
    // end

    // snippet: streaming
    @Sendable static func events(_ request: Request, _ token: AccessToken) -> Response {
        .stream(contentType: "text/event-stream") { writer in
            for number in 1...3 {
                try await writer.write("data: \(number)\n\n")
                try await Task.sleep(for: .seconds(1))
            }
        }
    }
    // end

    // snippet: middleware
    /// Adds a header field to each response.
    struct NoSniff: NonWaitingMiddleware {
        func intercept(_ request: inout Request) -> Interception {
            .proceedThenFinish { $0.fields["X-Content-Type-Options"] = "nosniff" }
        }
    }
    // end
}
