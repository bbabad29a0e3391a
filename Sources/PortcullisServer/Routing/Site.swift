// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP

/// Everything that one authority serves: documents, guarded resources, public routes.
final class Site: Sendable {
    /// Which document or resource a path belongs to; `nil` on a server without protected resources.
    private let resolver: ResourceResolver.Site?
    /// By the resolver's indices.
    private let documents: [CompiledRoute]
    /// 404 for a reserved path without a document.
    private let noDocument: CompiledRoute
    /// By the resolver's indices.
    private let resources: [GuardedResource]
    private let publicRoutes: RouteTree
    private let notFound: CompiledRoute
    /// The response to `OPTIONS *`: the methods of all routes.
    ///
    /// RFC 9110 §9.3.7.
    let asterisk: CompiledRoute

    init(
        resolver: ResourceResolver.Site?, documents: [CompiledRoute], noDocument: CompiledRoute,
        resources: [GuardedResource], publicRoutes: RouteTree, notFound: CompiledRoute,
        asterisk: CompiledRoute
    ) {
        self.resolver = resolver
        self.documents = documents
        self.noDocument = noDocument
        self.resources = resources
        self.publicRoutes = publicRoutes
        self.notFound = notFound
        self.asterisk = asterisk
    }

    /// A route, and the ranges of its parameters' values.
    typealias Destination = (route: CompiledRoute, values: [Range<Int>])

    /// Finds the route that answers a request.
    ///
    /// Only a public route declared below a resource takes precedence over the resource's gate.
    ///
    /// - Parameter isPreflight: Whether the request is a CORS preflight, which is answered before the gate.
    func destination(
        _ method: Method, _ path: RequestPath, isPreflight: Bool = false
    ) -> Destination {
        switch resolver?.document(path) {
        case .document(let index)?: return (documents[index], [])
        case .reserved?: return (noDocument, [])
        case nil: break
        }
        return path.bytes.withUnsafeBytes {
            destination(method, PathSegments($0, path.range), isPreflight: isPreflight)
        }
    }

    private func destination(
        _ method: Method, _ segments: PathSegments, isPreflight: Bool
    ) -> Destination {
        var resource: GuardedResource?
        var rest = segments
        if let resolver {
            let owner = resolver.owner(of: segments)
            resource = owner.resource.map { resources[$0] }
            rest = owner.rest
        }
        // Any other public route is less specific than the resource.
        let match = resource?.hasPublicRoutes == false ? nil : publicRoutes.match(segments)
        if let match, let route = publicRoutes.route(for: method, of: match),
            route.leadingLiteralCount >= resource?.segmentCount ?? 0
        {
            return (route, match.values)
        }
        if isPreflight, let route = preflight(resource, match) { return (route, []) }
        if let resource {
            return resource.destination(method, rest) { match.map { publicRoutes.methods(of: $0) } }
        }
        guard let methods = match.map({ publicRoutes.methods(of: $0) }) else { return (notFound, []) }
        let cors = methods.routes.lazy.compactMap(\.route.cors).first
        let none = cors.map { notFound.readable(under: $0) } ?? notFound
        return (none.answering(methodsAllowed: methods.allowed, to: method), [])
    }

    /// The preflight route: a public route has its own policy, or that of the resource above it.
    private func preflight(_ resource: GuardedResource?, _ match: RouteTree.Match?) -> CompiledRoute? {
        if let methods = match.map({ publicRoutes.methods(of: $0) }),
            let route = methods.routes.first(where: { $0.route.cors != nil })?.route,
            route.leadingLiteralCount >= resource?.segmentCount ?? 0
        {
            return route.preflight(methods: methods.allowed)
        }
        return resource?.preflight
    }
}

/// A protected resource with its compiled routes.
final class GuardedResource: Sendable {
    /// The number of literal segments that lead to the resource, without a final slash.
    let segmentCount: Int
    /// Whether a public route is declared below the resource, or at it.
    let hasPublicRoutes: Bool
    /// By what follows the path of the resource.
    private let routes: RouteTree
    /// 404 behind the gate.
    private let notFound: CompiledRoute
    /// The response to preflights, for every path; `nil` without a CORS policy.
    private let allowing: CompiledRoute?

    init(
        segmentCount: Int, routes: RouteTree, notFound: CompiledRoute, preflight: CompiledRoute?,
        hasPublicRoutes: Bool
    ) {
        self.segmentCount = segmentCount
        self.hasPublicRoutes = hasPublicRoutes
        self.routes = routes
        self.notFound = notFound
        allowing = preflight
    }

    /// The route that answers preflights.
    var preflight: CompiledRoute {
        if let allowing { return allowing }
        let shared = RouteChain(resource: notFound.resource, notFound.shared.beforeGate)
        return CompiledRoute.preflight(name: notFound.name, shared, nil, methods: "")
    }

    /// - Parameters:
    ///   - rest: What stands in the path behind that of the resource.
    ///   - open: The public routes of the path. The methods of those that are written below the resource
    ///     count among those that the path has.
    func destination(
        _ method: Method, _ rest: PathSegments, orPublic open: () -> RouteTree.Methods?
    ) -> Site.Destination {
        let match = routes.match(rest)
        if let match, let route = routes.route(for: method, of: match) { return (route, match.values) }
        let own = match.map { routes.methods(of: $0).routes } ?? []
        let others = open()?.routes.filter { $0.route.leadingLiteralCount >= segmentCount } ?? []
        let methods = RouteTree.Methods(routes: own + others[...])
        guard !methods.routes.isEmpty else { return (notFound, []) }
        return (notFound.answering(methodsAllowed: methods.allowed, to: method), [])
    }
}

extension CompiledRoute {
    /// The same middleware, with the methods of a path as the response: 405, or 204 with `Allow` to
    /// `OPTIONS`.
    ///
    /// RFC 9110 §9.3.7, §15.5.6.
    func answering(methodsAllowed: String, to method: Method) -> CompiledRoute {
        var response = Response.methodNotAllowed(allowing: methodsAllowed)
        if method == .options {
            response = .noContent
            response.fields[.allow] = methodsAllowed + ", OPTIONS"
        }
        let answer = response
        return CompiledRoute(
            name: name, shared, handler: .immediate { _ in answer }, kind: .unmatched,
            unmatchedStatus: answer.status)
    }

    /// The same middleware, with 413 as the response, for a request whose declared length exceeds the limit.
    ///
    /// The blocks around the route may answer in their own form; middleware gets a response, and no error.
    ///
    /// RFC 9110 §15.5.14.
    func answeringTooLarge() -> CompiledRoute {
        CompiledRoute(
            name: name, methods: methods, shared,
            handler: .immediate { self.answerAtOnce(MalformedMessage.bodyTooLarge, $0) }, kind: kind)
    }

    /// The same route under a CORS policy.
    func readable(under policy: CORSPolicy) -> CompiledRoute {
        CompiledRoute(
            name: name, names: names, methods: methods, leadingLiteralCount: leadingLiteralCount,
            RouteChain(resource: resource, cors: policy, shared.around), handler: handler, limits: ownLimits,
            kind: kind)
    }

    /// The route that answers preflights for a public route.
    func preflight(methods: String) -> CompiledRoute {
        CompiledRoute.preflight(
            name: name, RouteChain(resource: resource, shared.around), cors, methods: methods)
    }

    /// The route that answers preflights: 204, without CORS fields if there is no policy.
    static func preflight(
        name: String, _ shared: RouteChain, _ policy: CORSPolicy?, methods: String
    ) -> CompiledRoute {
        guard let policy else {
            return CompiledRoute(
                name: name, shared, handler: .immediate { _ in .noContent }, kind: .preflight(nil))
        }
        return CompiledRoute(
            name: name, shared, handler: .immediate { policy.preflight($0.head, methods: methods) },
            kind: .preflight(policy))
    }
}
