// SPDX-License-Identifier: MIT

import Portcullis

/// The snippets of the article "Embedding".
struct Embedding {
    // snippet: embedding-decision
    func respond(
        to head: RequestHead, route: String?, handler: (AccessToken?) async throws -> ResponseHead
    ) async throws -> (head: ResponseHead, body: [UInt8]) {
        let decision = await guarded.decide(
            method: head.method.name, target: head.target, fields: head.fields.map { ($0.name, $0.value) },
            route: route)
        switch decision {
        case .unguarded: return (try await handler(nil), [])
        case .answered(let answer): return (answer.head, answer.body)
        case .admitted(let admitted):
            var answer = try await handler(admitted.token)
            for field in admitted.fields(
                for: answer.status.code, cacheControl: answer.fields[.cacheControl])
            {
                answer.fields.append(field.value, for: field.name)
            }
            return (answer, [])
        }
    }
    // end

    private let guarded: GuardedRoutes

    init() throws {
        // snippet: embedding-routes
        let resources = try ResourceRegistry([notes])
        let guarded = GuardedRoutes(resources)
        guarded.require("notes:read", toWrite: "notes:write", below: "/notes")
        // end
        self.guarded = guarded
    }

    // snippet: embedding-replace
    func reload(_ newNotes: ProtectedResource) throws {
        try guarded.resources.replace([newNotes])
    }
    // end
}
