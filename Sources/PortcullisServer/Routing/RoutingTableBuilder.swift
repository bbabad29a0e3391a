// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP

/// Builds a routing table from declarations and collects every problem.
struct RoutingTableBuilder {
    private typealias PlainRoute = (pattern: PathPattern, methods: [Method], route: CompiledRoute)
    private typealias Block = (routes: ProtectedRoutes, outer: [any Middleware], cors: CORSPolicy?)

    private var publicRoutes: [PlainRoute] = []
    private var guarded: [Block] = []
    private(set) var outermost: [any Middleware] = []
    var problems: [String] = []
    private var warnings: [String] = []

    mutating func add(_ routes: Routes) {
        outermost = routes.middleware
        add(routes, outer: [], cors: nil)
    }

    private mutating func add(_ routes: Routes, outer: [any Middleware], cors: CORSPolicy?) {
        let middleware = outer + routes.middleware
        let cors = routes.cors ?? cors
        for entry in routes.entries {
            switch entry {
            case .route(let methods, let path, let handler):
                guard let pattern = pattern(path) else { continue }
                let route = CompiledRoute(
                    name: path, segments: pattern.segments, cors: cors, middleware: middleware,
                    handler: handler)
                publicRoutes.append((pattern, methods, route))
            case .group(let group):
                add(group, outer: middleware, cors: cors)
            case .protected(let block):
                guarded.append((block, middleware, block.cors ?? cors))
            }
        }
    }

    private mutating func pattern(_ path: String) -> PathPattern? {
        do throws(PathPattern.Malformation) {
            return try PathPattern(path)
        } catch {
            problems.append("the path \(path) \(error.sentence)")
            return nil
        }
    }

    mutating func parts() throws(ConfigurationError) -> RoutingTable.Parts {
        let resources = guarded.map(\.routes.resource)
        let resolver = resolver(of: resources)
        rejectDuplicates(publicRoutes, "public routes")
        let blocks = Dictionary(grouping: guarded) { $0.routes.resource.identifier.authority }
        var sites: [Site] = []
        for site in resolver?.sites ?? [] { sites.append(self.site(site, blocks[site.authority] ?? [])) }
        if resources.isEmpty { sites = [site(nil, [])] }
        guard let resolver, problems.isEmpty else {
            throw ConfigurationError(problems.map { ConfigurationError.Problem($0) })
        }
        return RoutingTable.Parts(
            resolver: resolver, sites: sites,
            misdirected: fixed("misdirected", .problem(MalformedMessage.misdirectedRequest)),
            resources: resources, warnings: warnings)
    }

    /// Returns `nil` and notes the problems if two resources can't be distinguished.
    private mutating func resolver(of resources: [ProtectedResource]) -> ResourceResolver? {
        do throws(ConfigurationError) {
            return try ResourceResolver(resources)
        } catch {
            problems += error.problems.map(\.message)
            return nil
        }
    }

    private mutating func rejectDuplicates(_ routes: [PlainRoute], _ where: String) {
        var seen: Set<String> = []
        for route in routes {
            let shape = route.pattern.segments.map(\.shape).joined(separator: "/")
            for method in route.methods where !seen.insert("\(method) \(shape)").inserted {
                problems.append("\(`where`): \(method) \(route.pattern) is declared twice")
            }
        }
    }

    private func fixed(_ name: String, _ response: Response) -> CompiledRoute {
        CompiledRoute(name: name, middleware: outermost, handler: .immediate { _ in response })
    }

    private mutating func site(_ resolver: ResourceResolver.Site?, _ blocks: [Block]) -> Site {
        let resources = blocks.compactMap { resource($0.routes, outer: $0.outer, cors: $0.cors) }
        for resource in resources { checkPublicRoutes(below: resource) }
        return Site(
            resolver: resolver, documents: resolver?.documents.map { route(to: $0) } ?? [],
            noDocument: open("metadata") { _ in .noDocument }, resources: resources,
            publicRoutes: RouteTree(openRoutes(among: blocks)), notFound: fixed("not found", .notFound),
            asterisk: asterisk(blocks.map(\.routes)))
    }

    private func asterisk(_ blocks: [ProtectedRoutes]) -> CompiledRoute {
        let methods = publicRoutes.flatMap(\.methods) + blocks.flatMap { $0.entries.flatMap(\.methods) }
        let names = Set(methods.map(\.name)).union(["GET", "HEAD", "OPTIONS"])
        var response = Response.noContent
        response.fields[.allow] = names.sorted().joined(separator: ", ")
        return fixed("*", response)
    }

    /// The public routes; those below a resource get its CORS policy unless they have their own.
    private func openRoutes(among blocks: [Block]) -> [PlainRoute] {
        let policies = blocks.compactMap { block -> (path: [PathPattern.Segment], cors: CORSPolicy)? in
            let base = block.routes.resource.identifier.path
            guard let cors = block.cors, let path = try? PathPattern(base.isEmpty ? "/" : base) else {
                return nil
            }
            return (path.segments.filter { $0 != .literal([]) }, cors)
        }
        guard !policies.isEmpty else { return publicRoutes }
        let longestFirst = policies.sorted { $0.path.count > $1.path.count }
        return publicRoutes.map { route in
            guard route.route.cors == nil,
                let owner = longestFirst.first(where: { route.pattern.segments.starts(with: $0.path) })
            else { return route }
            return (route.pattern, route.methods, route.route.readable(under: owner.cors))
        }
    }

    private mutating func resource(
        _ block: ProtectedRoutes, outer: [any Middleware], cors: CORSPolicy?
    ) -> GuardedResource? {
        let resource = block.resource
        let base = resource.identifier.path
        guard let basePattern = pattern(base.isEmpty ? "/" : base) else { return nil }
        var routes: [PlainRoute] = []
        for entry in block.entries {
            let path = block.hasWholePaths ? entry.path : Self.join(base, entry.path)
            guard let pattern = pattern(path), lies(pattern, in: basePattern, entry, resource) else {
                continue
            }
            rejectUndeclaredScopes(entry, of: resource)
            rejectUndeclaredTypes(entry, of: resource)
            rejectUnavailableIntrospection(entry, of: resource)
            let gate = ResourceGate(
                resource, requiring: entry.requirement, streamExpiry: block.streamExpiry)
            let route = CompiledRoute(
                name: pattern.description, segments: pattern.segments, resource: resource.identifier.text,
                cors: cors, middleware: outer + [gate] + block.middleware,
                handler: entry.handler)
            routes.append((pattern, entry.methods, route))
        }
        rejectDuplicates(routes, resource.identifier.text)
        let notFound = CompiledRoute(
            name: basePattern.description, resource: resource.identifier.text,
            cors: cors, middleware: outer + [ResourceGate(resource)],
            handler: .immediate { _ in .notFound })
        let preflight = CompiledRoute.preflight(
            name: basePattern.description, resource: resource.identifier.text, middleware: outer, cors,
            methods: Self.methods(of: routes))
        return GuardedResource(
            path: basePattern, routes: RouteTree(routes), notFound: notFound, preflight: preflight)
    }

    /// The methods of all routes of a resource.
    private static func methods(of routes: [PlainRoute]) -> String {
        var names = Set(routes.flatMap(\.methods).map(\.name))
        if names.contains("GET") { names.insert("HEAD") }
        names.insert("OPTIONS")
        return names.sorted().joined(separator: ", ")
    }

    /// A path relative to the resource: `/` is the resource itself.
    private static func join(_ base: String, _ path: String) -> String {
        if base.isEmpty { return path }
        if path == "/" { return base }
        return base.hasSuffix("/") ? base + path.dropFirst() : base + path
    }

    /// Whether requests for a pattern belong to the resource, so that its gate guards them.
    private mutating func lies(
        _ pattern: PathPattern, in base: PathPattern, _ entry: ProtectedRoutes.Entry,
        _ resource: ProtectedResource
    ) -> Bool {
        let isWithin =
            pattern.segments.count >= base.segments.count
            && zip(pattern.segments, base.segments).allSatisfy { $0 == $1 || $1 == .literal([]) }
        if !isWithin {
            problems.append(
                "\(resource.identifier): the route \(entry.path) lies outside the resource; "
                    + "begin it with a slash"
            )
        }
        return isWithin
    }

    private mutating func rejectUndeclaredScopes(
        _ entry: ProtectedRoutes.Entry, of resource: ProtectedResource
    ) {
        for scope in resource.undeclaredScopes(in: entry.requirement) {
            problems.append(
                "\(resource.identifier): the route \(entry.path) requires the scope \(scope), "
                    + "which the resource does not declare"
            )
        }
    }

    private mutating func rejectUndeclaredTypes(
        _ entry: ProtectedRoutes.Entry, of resource: ProtectedResource
    ) {
        for type in resource.undeclaredTypes(in: entry.requirement) {
            problems.append(
                "\(resource.identifier): the route \(entry.path) requires authorization details of the type "
                    + "\(type), which the resource does not declare"
            )
        }
    }

    private mutating func rejectUnavailableIntrospection(
        _ entry: ProtectedRoutes.Entry, of resource: ProtectedResource
    ) {
        guard entry.requirement.needsFreshIntrospection, !resource.canIntrospect else { return }
        problems.append(
            "\(resource.identifier): the route \(entry.path) requires fresh introspection, "
                + "and no issuer introspects"
        )
    }

    /// Warns of a public route below a resource, which its author has declared so; rejects a public catch-all
    /// there.
    private mutating func checkPublicRoutes(below resource: GuardedResource) {
        for route in publicRoutes where Self.lies(route.pattern, below: resource) {
            if case .rest? = route.pattern.segments.last {
                problems.append(
                    "the public route \(route.pattern) would open everything below a protected resource")
            } else {
                warnings.append(
                    "the public route \(route.pattern) lies below a protected resource and needs no token")
            }
        }
    }

    private static func lies(_ pattern: PathPattern, below resource: GuardedResource) -> Bool {
        guard pattern.segments.count >= resource.segmentCount else { return false }
        return zip(pattern.segments, resource.segments).allSatisfy { segment, literal in
            segment == .literal(literal)
        }
    }
}

extension PathPattern.Segment {
    /// The segment as the router compares it, without the names of parameters.
    fileprivate var shape: String {
        switch self {
        case .literal(let bytes): String(decoding: bytes, as: UTF8.self)
        case .parameter: "{}"
        case .rest: "{...}"
        }
    }
}
