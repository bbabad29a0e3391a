// SPDX-License-Identifier: MIT

public import Portcullis
import PortcullisHTTP

/// Lets a resource use the server as its fetcher, without a socket.
extension TestAuthorizationServer: Fetcher {
    /// Answers a request of the gate at once.
    ///
    /// - Throws: `unreachable` for a URL of another origin, `timedOut` for an endpoint that hangs, `tooLarge`
    ///   for a response above the request's limit.
    public func fetch(_ request: FetchRequest) async throws(FetchError) -> FetchResponse {
        let origin = paths.origin
        guard request.url.utf8.starts(with: origin.utf8) else { throw .unreachable }
        let target = String(request.url.dropFirst(origin.count))
        guard target.hasPrefix("/") else { throw .unreachable }
        let answer = await respond(
            method: request.method.name, target: target,
            fields: request.fields.map { ($0.name.spelling, $0.value) },
            body: request.body)
        if answer.hangs { throw .timedOut }
        guard answer.body.count <= request.maxResponseByteCount else { throw .tooLarge }
        return FetchResponse(status: answer.status, fields: answer.fields, body: answer.body)
    }
}
