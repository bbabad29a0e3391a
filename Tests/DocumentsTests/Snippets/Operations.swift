// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisServer

private func answer(_ request: Request, _ token: AccessToken) async throws -> Response { .ok }

private func askDecisionPoint(_ question: JSONObject) async throws -> JSONObject { ["decision": true] }

// snippet: operations
func guardTools(of notes: ProtectedResource, in routes: inout Routes) {
    let tools = AccessRequirement("notes:read").distinguishing(
        RequestOperation(["Mcp-Method": "tools/call", "Mcp-Name": "delete_note"], scopes: ["notes:write"]),
        RequestOperation(["Mcp-Method": "tools/call"]),
        RequestOperation(["Mcp-Method": "tools/list"]))
    routes.protect(notes) { notes in
        notes.post("/", requiring: tools) { request, token in
            try await answer(request, token)
        }
    }
}
// end

// snippet: optional-tokens
func guardSome(of notes: ProtectedResource, in routes: inout Routes) {
    routes.optionallyProtect(notes) { notes in
        notes.get("/news") { _, token in .text(token?.subject ?? "anonymous") }
        notes.get("/mine", requiring: "notes:read") { _, token in .text(token?.subject ?? "anonymous") }
    }
}
// end

// snippet: decisions
func guardByPolicy(_ notes: ProtectedResource, in routes: inout Routes) {
    let policy = ExternalDecision(timeout: .seconds(1)) { question in
        try await AccessEvaluationResponse(askDecisionPoint(question.json))
    }
    routes.protect(notes) { notes in
        notes.delete("/{id}", requiring: AccessRequirement("notes:write").decided(by: policy)) { _, _ in
            .noContent
        }
    }
}
// end
