// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP
internal import Synchronization

/// Decides for a proxy by the routes of direct requests, without running their handlers.
final class ForwardAuthRoutes: Sendable {
    /// The name in logs and metrics of what does not describe a request.
    private static let name = "forward auth"

    let endpoint: any ForwardAuthEndpoint
    private let open: RouteChain
    /// 404, for peers that are not trusted proxies.
    let hidden: CompiledRoute

    init(_ endpoint: any ForwardAuthEndpoint, _ open: RouteChain) {
        self.endpoint = endpoint
        self.open = open
        hidden = CompiledRoute(
            name: "not found", open, handler: .immediate { _ in .notFound }, kind: .nothing)
    }

    /// The answer to a carrier that does not describe a request.
    func refusing(_ fault: UnreadableCarrier) -> CompiledRoute {
        let endpoint = endpoint
        return CompiledRoute(
            name: Self.name, open,
            handler: .immediate { _ in
                var response = Response.problem(fault.status)
                response.malformation = fault.malformation
                return response
            }, kind: .nothing, completion: { endpoint.finish(&$0, isAdmitted: false) })
    }

    /// The route of a direct request, with the decision in place of its handler.
    func deciding(_ route: CompiledRoute) -> CompiledRoute {
        let endpoint = endpoint
        let admitted = Admitted()
        return CompiledRoute(
            name: route.name, names: route.names, methods: route.methods,
            leadingLiteralCount: route.leadingLiteralCount, route.shared,
            handler: .immediate { request in
                if let refusal = Self.refusal(of: request, by: route) { return refusal }
                admitted.isSet.store(true, ordering: .relaxed)
                return endpoint.admission(of: request.token)
            }, kind: route.kind, unmatchedStatus: route.unmatchedStatus,
            completion: { response in
                endpoint.finish(&response, isAdmitted: admitted.isSet.load(ordering: .relaxed))
            })
    }

    /// Whether the chain of a route has reached its end.
    private final class Admitted: Sendable {
        let isSet = Atomic<Bool>(false)
    }

    /// The refusal after the gate; `nil` for a request that passes.
    private static func refusal(of request: Request, by route: CompiledRoute) -> Response? {
        switch route.kind {
        case .declared, .preflight: return nil
        case .nothing: return nothing(answer(of: route, to: request))
        case .unmatched, .document:
            guard let response = answer(of: route, to: request) else {
                return isRead(request.method) ? nil : .methodNotAllowed(allowing: "GET, HEAD, OPTIONS")
            }
            if response.status.code < 400 { return nil }
            if case .document = route.kind, response.status == .notFound { return nothing(response) }
            return response
        }
    }

    /// The answer of the router itself; `nil` if it takes time.
    private static func answer(of route: CompiledRoute, to request: Request) -> Response? {
        do {
            return try route.handler.respondImmediately(to: request)
        } catch {
            return Response(answering: error)
        }
    }

    private static func isRead(_ method: Method) -> Bool {
        method == .get || method == .head || method == .options
    }

    /// 403 for what belongs to no resource: proxies do not pass 404 and 421 on.
    private static func nothing(_ direct: Response?) -> Response {
        var response = Response.problem(.forbidden)
        response.malformation = direct?.malformation
        return response
    }
}

extension RoutingTable {
    /// The route that decides on a told request.
    ///
    /// A preflight passes only if a CORS policy allows its origin: otherwise it needs a token, like any other
    /// request.
    func decision(on told: ToldRequest, by routes: ForwardAuthRoutes) -> Site.Destination {
        func find(isPreflight: Bool) -> Site.Destination {
            destination(told.head.method, authority: told.authority, told.path, isPreflight: isPreflight)
        }
        var found = find(isPreflight: CORSPolicy.isPreflight(told.head))
        if case .preflight(let policy) = found.route.kind, policy?.allows(told.head) != true {
            found = find(isPreflight: false)
        }
        return (routes.deciding(found.route), found.values)
    }
}
