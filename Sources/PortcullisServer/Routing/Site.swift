// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// Everything that one authority serves: documents, guarded resources, public routes.
final class Site: Sendable {
    let documents: DocumentTable
    let resources: ResourceTree
    let publicRoutes: RouteTree
    let notFound: CompiledRoute
    /// The response to `OPTIONS *`: the methods of all routes.
    ///
    /// RFC 9110 §9.3.7.
    let asterisk: CompiledRoute

    init(
        documents: DocumentTable, resources: ResourceTree, publicRoutes: RouteTree, notFound: CompiledRoute,
        asterisk: CompiledRoute
    ) {
        self.documents = documents
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
        if let document = documents.route(path) { return (document, []) }
        return path.bytes.withUnsafeBytes {
            destination(method, PathSegments($0, path.range), isPreflight: isPreflight)
        }
    }

    private func destination(
        _ method: Method, _ segments: PathSegments, isPreflight: Bool
    ) -> Destination {
        let (resource, rest) = resources.owner(of: segments)
        let match = publicRoutes.match(segments)
        if let match, let route = match.methods[method],
            route.leadingLiteralCount >= resource?.segmentCount ?? 0
        {
            return (route, match.values)
        }
        if isPreflight, let route = preflight(resource, match) { return (route, []) }
        if let resource {
            return resource.destination(method, rest, orPublic: match)
        }
        guard let match else { return (notFound, []) }
        let cors = match.methods.routes.lazy.compactMap(\.route.cors).first
        let none = cors.map { notFound.readable(under: $0) } ?? notFound
        return (none.answering(methodsAllowed: match.methods.allowed, to: method), [])
    }

    /// The preflight route: a public route has its own policy, or that of the resource above it.
    private func preflight(_ resource: GuardedResource?, _ match: RouteTree.Match?) -> CompiledRoute? {
        if let match, let route = match.methods.routes.first(where: { $0.route.cors != nil })?.route,
            route.leadingLiteralCount >= resource?.segmentCount ?? 0
        {
            return route.preflight(methods: match.methods.allowed)
        }
        return resource?.preflight
    }
}

/// A protected resource with its compiled routes.
final class GuardedResource: Sendable {
    /// The literal segments that lead to the resource.
    let segments: [[UInt8]]
    /// Whether the identifier ends with a slash, so that only paths below it belong to the resource.
    let endsWithSlash: Bool
    private let routes: RouteTree
    /// Where the path of the resource leads to among its routes, all of which begin with it.
    ///
    /// `nil` if there are none.
    private let start: Int?
    /// 404 behind the gate.
    private let notFound: CompiledRoute
    /// The response to preflights, for every path.
    let preflight: CompiledRoute

    init(path: PathPattern, routes: RouteTree, notFound: CompiledRoute, preflight: CompiledRoute) {
        var segments = path.segments.compactMap { segment -> [UInt8]? in
            if case .literal(let bytes) = segment { bytes } else { nil }
        }
        endsWithSlash = segments.last?.isEmpty ?? false
        if endsWithSlash { segments.removeLast() }
        self.segments = segments
        self.routes = routes
        start = routes.place(of: segments)
        self.notFound = notFound
        self.preflight = preflight
    }

    var segmentCount: Int { segments.count }

    /// - Parameters:
    ///   - rest: What stands in the path behind that of the resource.
    ///   - open: The public routes of the path. The methods of those that are written below the resource
    ///     count among those that the path has.
    func destination(
        _ method: Method, _ rest: PathSegments, orPublic open: RouteTree.Match?
    ) -> Site.Destination {
        var match: RouteTree.Match?
        if let start { match = routes.match(rest, from: start) }
        if let match, let route = match.methods[method] { return (route, match.values) }
        let others = open?.methods.routes.filter { $0.route.leadingLiteralCount >= segmentCount } ?? []
        let methods = RouteTree.Methods(routes: (match?.methods.routes ?? []) + others)
        guard !methods.routes.isEmpty else { return (notFound, []) }
        return (notFound.answering(methodsAllowed: methods.allowed, to: method), [])
    }
}

/// Finds the resource with the longest path that a request's path begins with, by whole segments.
struct ResourceTree: Sendable {
    /// Refers to its children by index, so that a lookup retains nothing.
    private struct Node {
        let segment: [UInt8]
        let resource: GuardedResource?
        /// Sorted by segment.
        var children: Range<Int> = 0..<0
    }

    private var nodes: [Node] = []

    init(_ resources: [GuardedResource]) {
        add([([], resources)], depth: 0)
    }

    /// Adds sibling nodes and their subtrees.
    private mutating func add(_ siblings: [(segment: [UInt8], resources: [GuardedResource])], depth: Int) {
        let first = nodes.count
        // Resources that differ only in their query share the routes of the first.
        nodes += siblings.map { sibling in
            Node(
                segment: sibling.segment, resource: sibling.resources.first { $0.segmentCount == depth })
        }
        for (place, sibling) in zip(first..., siblings) {
            let deeper = Dictionary(grouping: sibling.resources.filter { $0.segmentCount > depth }) {
                $0.segments[depth]
            }
            let start = nodes.count
            nodes[place].children = start..<start + deeper.count
            add(
                deeper.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) },
                depth: depth + 1)
        }
    }

    /// - Returns: The resource, and what stands in the path behind its own.
    func owner(of path: PathSegments) -> (resource: GuardedResource?, rest: PathSegments) {
        var segments = path
        var rest = path
        var owner = 0
        var place = 0
        while let segment = segments.next() {
            let children = nodes[place].children
            let found = ByteOrder.index(of: segments[segment], among: children.count) {
                nodes[children.lowerBound + $0].segment
            }
            guard let found else { break }
            place = children.lowerBound + found
            guard let resource = nodes[place].resource, !resource.endsWithSlash || !segments.isAtEnd else {
                continue
            }
            owner = place
            rest = segments
        }
        return (nodes[owner].resource, rest)
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
            name: name, resource: resource, cors: cors, middleware: middleware,
            handler: .immediate { _ in answer })
    }

    /// The same middleware, with 413 as the response, for a request whose declared length exceeds the limit.
    ///
    /// RFC 9110 §15.5.14.
    func answeringTooLarge() -> CompiledRoute {
        CompiledRoute(
            name: name, resource: resource, cors: cors, middleware: middleware,
            handler: .immediate { _ in .problem(.contentTooLarge) })
    }

    /// The same route under a CORS policy.
    func readable(under policy: CORSPolicy) -> CompiledRoute {
        CompiledRoute(
            name: name, segments: segments, resource: resource, cors: policy, middleware: middleware,
            handler: handler)
    }

    /// The route that answers preflights for a public route.
    func preflight(methods: String) -> CompiledRoute {
        CompiledRoute.preflight(
            name: name, resource: resource, middleware: middleware, cors, methods: methods)
    }

    /// The route that answers preflights: 204, without CORS fields if there is no policy.
    static func preflight(
        name: String, resource: String?, middleware: [any Middleware], _ policy: CORSPolicy?, methods: String
    ) -> CompiledRoute {
        CompiledRoute(
            name: name, resource: resource, middleware: middleware,
            handler: .immediate { policy?.preflight($0.head, methods: methods) ?? .noContent })
    }
}
