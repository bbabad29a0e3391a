// SPDX-License-Identifier: MIT

// snippet: flyingfox-adapter
import FlyingFox
import Portcullis

/// The gate in front of all routes of a FlyingFox server, and of paths that have none.
struct Gate: HTTPHandler {
    /// The token of the request that is handled; `nil` if it needed none.
    @TaskLocal static var token: AccessToken?
    let guarded: GuardedRoutes
    let routes: RoutedHTTPHandler

    func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
        var match: RoutedHTTPHandler.Element?
        for entry in routes where match == nil { match = await entry.route ~= request ? entry : nil }
        // Only this route: the next one that matches may require more.
        let route = RoutedHTTPHandler(match.map { [$0] } ?? [])
        let decision = await guarded.decide(
            method: request.method.rawValue, target: request.target.rawValue,
            fields: request.headers.map { ($0.key.rawValue, $0.value) },
            route: match?.route.path.map(\.description).joined(separator: "/"))
        switch decision {
        case .unguarded: return try await route.handleRequest(request)
        case .answered(let answer): return HTTPResponse(answer)
        case .admitted(let admitted):
            var response = HTTPResponse(statusCode: .notFound)
            do {
                response = try await Self.$token.withValue(admitted.token) {
                    try await route.handleRequest(request)
                }
            } catch is HTTPUnhandledError {
            } catch let refusal as Refusal {
                return HTTPResponse(admitted.answer(for: refusal))
            }
            let cacheControl = response.headers[.cacheControl]
            response.add(admitted.fields(for: response.statusCode.code, cacheControl: cacheControl))
            return response
        }
    }
}

extension HTTPResponse {
    init(_ answer: GateAnswer) {
        let status = HTTPStatusCode(answer.status.code, phrase: answer.status.reasonPhrase)
        self.init(statusCode: status, body: .init(answer.body))
        add(answer.head.fields)
    }

    mutating func add(_ fields: Fields) {
        for field in fields { headers.addValue(field.value, for: HTTPHeader(field.name.spelling)) }
    }
}
// end
