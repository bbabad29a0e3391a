// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP

/// Builds a routing table from declarations and collects every problem.
struct RoutingTableBuilder {
    typealias PlainRoute = (pattern: PathPattern, methods: [Method], route: CompiledRoute)
    typealias Block = (routes: ProtectedRoutes, outer: RouteSurroundings, cors: CORSPolicy?)

    private(set) var publicRoutes: [PlainRoute] = []
    var sharedPublicTree: RouteTree?
    /// What public routes begin with; see ``literalBeginnings(of:)``.
    private var publicLiterals: Set<[[UInt8]]> = []
    private var guarded: [Block] = []
    private var parameterNames: Set<[String]> = []
    private var declaredMethods: [[Method]: [Method]] = [:]
    /// The chain of what needs no token.
    private(set) var open: RouteChain
    var problems: [String] = []
    var warnings: [String] = []
    /// The endpoints where proxies ask.
    private(set) var endpoints: [any ForwardAuthEndpoint] = []
    /// Whether a route asks another server.
    private var hasRelays = false
    /// The limits that differ from the server's: one object for all routes with the same ones.
    private var routeLimits: [RouteLimits: OwnLimits] = [:]

    /// - Parameter stopping: When the server of the routes begins to stop.
    init(_ routes: Routes, stopping: ServerStopping) {
        let around = RouteSurroundings(stopping: stopping)
        open = RouteChain(around.entering(routes.terms))
        add(routes, outer: around, cors: nil)
    }

    private mutating func add(_ routes: Routes, outer: RouteSurroundings, cors: CORSPolicy?) {
        let around = outer.entering(routes.terms)
        let cors = routes.cors ?? cors
        let chain = RouteChain(cors: cors, around)
        for entry in routes.entries {
            switch entry {
            case .route(let methods, let path, let handler, let declared):
                guard let pattern = pattern(path) else { continue }
                let own = declared.terms
                let route = CompiledRoute(
                    pattern, names: names(of: pattern), methods: named(methods),
                    own.leavesChain ? chain : RouteChain(cors: cors, around.entering(own)), handler: handler,
                    limits: limits(of: handler, own, around.limits, path))
                publicRoutes.append((pattern, methods, route))
                check(handler, path, of: nil)
            case .forwardAuth(let endpoint): endpoints.append(endpoint)
            case .group(let group):
                add(group, outer: around, cors: cors)
            case .protected(let block):
                let policy = block.cors ?? cors
                guarded.append(
                    (block, around, block.resource.isMCPServer ? policy?.servingMCP() : policy))
            }
        }
    }

    /// The methods of a route by their names: one array for all routes with the same ones.
    private mutating func named(_ methods: [Method]) -> [Method] {
        if let known = declaredMethods[methods] { return known }
        let named = methods.flatMap { $0 == .everyMethod ? $0.namedMethods.compactMap { Method($0) } : [$0] }
        declaredMethods[methods] = named
        return named
    }

    /// The limits of a route; `nil` if the server's apply.
    private mutating func limits(
        of handler: RouteHandler, _ own: BlockTerms, _ outer: RouteLimits, _ path: String
    ) -> OwnLimits? {
        var limits = own.limits
        limits.maxBodyByteCount = limits.maxBodyByteCount ?? handler.relay?.maxBodyByteCount
        limits = limits.within(outer)
        guard limits != RouteLimits() else { return nil }
        if !limits.isValid { problems.append("the route \(path) has a limit below 0") }
        let known = routeLimits[limits] ?? OwnLimits(limits)
        routeLimits[limits] = known
        return known
    }

    /// The names of a pattern's parameters: one array for all patterns with the same names.
    private mutating func names(of pattern: PathPattern) -> [String] {
        let names = pattern.segments.compactMap(\.name)
        guard !names.isEmpty else { return names }
        return parameterNames.insert(names).memberAfterInsert
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
        publicLiterals = Self.literalBeginnings(of: publicRoutes)
        let blocks = Dictionary(grouping: guarded) { $0.routes.resource.identifier.authority }
        var sites: [Site] = []
        for site in resolver?.sites ?? [] { sites.append(self.site(site, blocks[site.authority] ?? [])) }
        if resources.isEmpty { sites = [site(nil, [])] }
        checkEndpoints(besides: guarded)
        guard let resolver, problems.isEmpty else {
            throw ConfigurationError(problems.map { ConfigurationError.Problem($0) })
        }
        return RoutingTable.Parts(
            resolver: resolver, sites: sites,
            misdirected: fixed("misdirected", .problem(MalformedMessage.misdirectedRequest), kind: .nothing),
            resources: resources, warnings: warnings, hasRelays: hasRelays,
            hasRouteLimits: !routeLimits.isEmpty,
            largestBodyLimit: routeLimits.keys.compactMap(\.maxBodyByteCount).max(),
            forwardAuth: endpoints.first.map { ForwardAuthRoutes($0, open) },
            refusalPolicy: .ofRefusals(
                guarded.compactMap(\.cors) + publicRoutes.compactMap(\.route.cors)))
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
        guard routes.count > 1 || routes.first?.methods.count ?? 0 > 1 else { return }
        var seen: Set<Shape> = []
        seen.reserveCapacity(routes.count)
        for route in routes {
            let segments = route.pattern.segments.map(\.unnamed)
            for method in route.methods
            where !seen.insert(Shape(segments: segments, method: method)).inserted {
                problems.append("\(`where`): \(method) \(route.pattern) is declared twice")
            }
        }
    }

    /// What must be distinct among the routes of a resource.
    private struct Shape: Hashable {
        let segments: [PathPattern.Segment]
        let method: Method
    }

    private func fixed(
        _ name: String, _ response: Response, kind: CompiledRoute.Kind = .unmatched
    ) -> CompiledRoute {
        CompiledRoute(name: name, open, handler: .immediate { _ in response }, kind: kind)
    }

    private mutating func site(_ resolver: ResourceResolver.Site?, _ blocks: [Block]) -> Site {
        let resources = blocks.compactMap { resource($0.routes, outer: $0.outer, cors: $0.cors) }
        checkPublicRoutes(below: blocks)
        return Site(
            resolver: resolver, documents: resolver?.documents.map { route(to: $0) } ?? [],
            noDocument: open("metadata", kind: .nothing) { _ in .noDocument }, resources: resources,
            publicRoutes: publicTree(besides: blocks),
            notFound: fixed("not found", .notFound, kind: .nothing),
            asterisk: asterisk(blocks.map(\.routes)))
    }

    private func asterisk(_ blocks: [ProtectedRoutes]) -> CompiledRoute {
        var methods = Set(publicRoutes.flatMap(\.methods))
        var latest: [Method] = []
        for block in blocks {
            // By index: the copy of an entry costs a retain for each of its parts.
            for index in block.entries.indices where block.entries[index].methods != latest {
                latest = block.entries[index].methods
                methods.formUnion(latest)
            }
        }
        let names = Set(methods.flatMap(\.namedMethods)).union(["GET", "HEAD", "OPTIONS"])
        var response = Response.noContent
        response.fields[.allow] = names.sorted().joined(separator: ", ")
        return fixed("*", response)
    }

    private mutating func resource(
        _ block: ProtectedRoutes, outer: RouteSurroundings, cors: CORSPolicy?
    ) -> GuardedResource? {
        let resource = block.resource
        let base = resource.identifier.path
        guard let basePattern = pattern(base.isEmpty ? "/" : base) else { return nil }
        var chains = GuardedChains(of: block, outer: outer, cors: cors)
        problems += block.contradictions.map { "\(resource.identifier): \($0)" }
        var routes: [PlainRoute] = []
        for entry in block.entries {
            let path = block.hasWholePaths ? entry.path : Self.join(base, entry.path)
            guard let pattern = pattern(path), lies(pattern, in: basePattern, entry, resource) else {
                continue
            }
            rejectUndeclaredScopes(entry, of: resource)
            rejectUndeclaredTypes(entry, of: resource)
            rejectUnavailableIntrospection(entry, of: resource)
            checkOptionalToken(entry, in: block)
            check(entry.handler, entry.path, of: resource)
            let own = entry.route?.terms ?? BlockTerms()
            let route = CompiledRoute(
                pattern, names: names(of: pattern), methods: named(entry.methods), chains.chain(entry, own),
                handler: entry.handler,
                limits: limits(of: entry.handler, own, chains.limits(around: entry), entry.path))
            routes.append((pattern, entry.methods, route))
        }
        rejectDuplicates(routes, resource.identifier.text)
        let notFound = CompiledRoute(
            name: basePattern.description, chains.unmatched, handler: .immediate { _ in .notFound },
            kind: .unmatched, unmatchedStatus: .notFound)
        let preflight = cors.map {
            CompiledRoute.preflight(
                name: basePattern.description,
                RouteChain(resource: resource.identifier.text, outer), $0,
                methods: Self.methods(of: routes))
        }
        let literals = Self.literals(of: basePattern)
        return GuardedResource(
            segmentCount: literals.count, routes: RouteTree(routes, below: literals.count),
            notFound: notFound, preflight: preflight, hasPublicRoutes: publicLiterals.contains(literals))
    }

    /// The literal segments that lead to a resource, without a final slash.
    static func literals(of path: PathPattern) -> [[UInt8]] {
        var segments = path.segments.compactMap { segment -> [UInt8]? in
            if case .literal(let bytes) = segment { bytes } else { nil }
        }
        if segments.last?.isEmpty ?? false { segments.removeLast() }
        return segments
    }

    /// The methods of all routes of a resource.
    private static func methods(of routes: [PlainRoute]) -> String {
        var names = Set(routes.flatMap(\.methods).flatMap(\.namedMethods))
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

    private mutating func check(_ handler: RouteHandler, _ path: String, of resource: ProtectedResource?) {
        guard let relay = handler.relay else { return }
        problems += relay.problems(for: resource).map { "the route \(path): \($0)" }
        warnings += relay.warnings.map { "the route \(path): \($0)" }
        hasRelays = true
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

    /// Rejects a handler that needs a token where there may be none, and warns of each route without one.
    private mutating func checkOptionalToken(_ entry: ProtectedRoutes.Entry, in block: ProtectedRoutes) {
        guard let conditions = entry.requirement.conditions, conditions.mayLackToken else { return }
        let route = "\(block.resource.identifier): the route \(entry.path)"
        guard block.takesRequestsWithoutToken else {
            problems.append(
                "\(route) lets requests without a token pass, and its handler needs one; declare it in "
                    + "optionallyProtect")
            return
        }
        warnings.append(
            conditions.isTokenOptional
                ? "\(route) needs no token: requests without credentials pass"
                : "\(route) has operations that need no token: requests for them pass without credentials")
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
}

extension PathPattern.Segment {
    /// The segment as the router compares it, without the names of parameters.
    fileprivate var unnamed: PathPattern.Segment {
        switch self {
        case .literal: self
        case .parameter: .parameter("")
        case .rest: .rest("")
        }
    }
}
