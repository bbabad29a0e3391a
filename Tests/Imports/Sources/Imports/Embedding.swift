// SPDX-License-Identifier: MIT

// Imports the gate with Hummingbird, AsyncHTTPClient, JWTKit and HTTPTypes: their names stay theirs.

import AsyncHTTPClient
import HTTPTypes
import Hummingbird
import JWTKit
import NIOCore
import Portcullis

typealias Context = BasicRequestContext

/// Types of other packages whose names this package has used too.
struct Theirs {
    let client: HTTPClient
    let request: Request
    let response: Response
    let router: Router<Context>
    let key: JWK
    let parameters: Parameters
    let address: SocketAddress?
    let field: HTTPField.Name

    func execute(_ url: String) async throws -> HTTPClientResponse {
        try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(1))
    }

    static func router() -> Router<Context> {
        let router = Router(context: Context.self)
        router.get("/notes/{id}") { (request: Request, context: Context) -> Response in
            let parameters: Parameters = context.parameters
            return Response(status: .ok, headers: [.contentType: parameters.get("id") ?? ""])
        }
        return router
    }
}

/// The gate in front of Hummingbird's routes.
struct Guard: RouterMiddleware {
    let notes: ProtectedResource

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var fields = request.headers.map { ($0.name.rawName, $0.value) }
        fields.append(("Host", request.head.authority ?? ""))
        guard let method = Method(request.method.rawValue),
            let head = try? RequestHead(method: method, target: request.head.path ?? "/", fields: fields)
        else { return Response(status: .badRequest) }
        if let document = notes.metadataResponse(to: head) {
            return Self.response(document.head, document.body)
        }
        do throws(Refusal) {
            let token = try await notes.authorize(head, requiring: .anyValidToken)
            _ = token.expirationDate
        } catch {
            return Self.response(error.head, error.body)
        }
        var response = try await next(request, context)
        let status = Status(response.status.code) ?? .ok
        for field in notes.additionalFields(for: head, status: status) {
            guard let name = HTTPField.Name(field.name.spelling) else { continue }
            response.headers.append(HTTPField(name: name, value: field.value))
        }
        return response
    }

    static func response(_ head: ResponseHead, _ body: [UInt8]) -> Response {
        var headers = HTTPFields()
        for field in head.fields {
            guard let name = HTTPField.Name(field.name.spelling) else { continue }
            headers.append(HTTPField(name: name, value: field.value))
        }
        return Response(
            status: .init(code: head.status.code), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}
