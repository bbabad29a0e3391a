// SPDX-License-Identifier: MIT

import Portcullis

/// The snippets of the article "Embedding".
struct Embedding {
    // snippet: authorize
    /// What the adapter passes to the framework.
    struct Answer {
        var head: ResponseHead
        var body: [UInt8]
    }

    func respond(
        to head: RequestHead, handler: (AccessToken) async throws -> Answer
    ) async throws -> Answer {
        if let (head, body) = notes.metadataResponse(to: head) { return Answer(head: head, body: body) }
        let token: AccessToken
        do throws(Refusal) {
            token = try await notes.authorize(head, requiring: "notes:read")
        } catch {
            return Answer(head: error.head, body: error.body)
        }
        var answer = try await handler(token)
        notes.complete(&answer.head.fields, status: answer.head.status, answering: head)
        return answer
    }
    // end

    // snippet: request-head
    func head(_ method: String, _ target: String, _ fields: [(String, String)]) throws -> RequestHead {
        try RequestHead(method: Method(stringLiteral: method), target: target, fields: fields)
    }
    // end

    // snippet: several-resources
    func owner(of head: RequestHead, in resources: ResourceRegistry) throws -> ProtectedResource? {
        let set = resources.current  // once for each request
        return try set.resource(for: head)  // throws MalformedMessage: respond with its `status`
    }
    // end
}
