// SPDX-License-Identifier: MIT

// snippet: hummingbird-adapter
import HTTPTypes
import Hummingbird
import Portcullis

/// A context with the token of its request; `nil` if it needed none.
protocol GuardedContext: RequestContext {
    var token: AccessToken? { get set }
}

/// The gate in front of the routes that are added to a router after it, and of paths that have none.
struct Gate<Context: GuardedContext>: RouterMiddleware {
    let guarded: GuardedRoutes

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let decision = await guarded.decide(
            method: request.method.rawValue, authority: request.head.authority, target: request.head.path,
            fields: request.headers.map { ($0.name.rawName, $0.value) }, route: context.endpointPath)
        switch decision {
        case .unguarded: return try await next(request, context)
        case .answered(let answer): return Response(answer)
        case .admitted(let admitted):
            var (context, response) = (context, Response(status: .ok))
            context.token = admitted.token
            do {
                response = try await next(request, context)
            } catch let refusal as Refusal {
                return Response(admitted.answer(for: refusal))
            } catch let error as any HTTPResponseError {
                response = try error.response(from: request, context: context)
            }
            let cacheControl = response.headers[.cacheControl]
            response.add(admitted.fields(for: response.status.code, cacheControl: cacheControl))
            return response
        }
    }
}

extension Response {
    init(_ answer: GateAnswer) {
        self.init(status: .init(code: answer.status.code), body: .init(byteBuffer: .init(bytes: answer.body)))
        headers = [:]
        add(answer.head.fields)
    }

    mutating func add(_ fields: Fields) {
        for field in fields {
            if let name = HTTPField.Name(field.name.spelling) { headers[values: name].append(field.value) }
        }
    }
}
// end
