// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP

extension RoutingTableBuilder {
    /// The tree of the public routes; those below a resource get its CORS policy unless they have their own.
    ///
    /// One tree for all authorities whose resources have no policy.
    mutating func publicTree(besides blocks: [Block]) -> RouteTree {
        if let routes = readableRoutes(besides: blocks) { return RouteTree(routes) }
        let tree = sharedPublicTree ?? RouteTree(publicRoutes)
        sharedPublicTree = tree
        return tree
    }

    /// `nil` if no resource has a policy.
    private func readableRoutes(besides blocks: [Block]) -> [PlainRoute]? {
        guard !publicRoutes.isEmpty else { return nil }
        var policies: [[PathPattern.Segment]: CORSPolicy] = [:]
        for block in blocks {
            let base = block.routes.resource.identifier.path
            guard let cors = block.cors, let path = try? PathPattern(base.isEmpty ? "/" : base) else {
                continue
            }
            let segments = path.segments.filter { $0 != .literal([]) }
            if policies[segments] == nil { policies[segments] = cors }
        }
        guard !policies.isEmpty else { return nil }
        let longest = policies.keys.map(\.count).max() ?? 0
        return publicRoutes.map { route in
            guard route.route.cors == nil else { return route }
            let segments = route.pattern.segments.prefix(longest)
            let lengths = (0...segments.count).reversed()
            guard let policy = lengths.lazy.compactMap({ policies[Array(segments.prefix($0))] }).first else {
                return route
            }
            return (route.pattern, route.methods, route.route.readable(under: policy))
        }
    }

    /// The literal segments that public routes begin with, each with all that lead to it.
    static func literalBeginnings(of routes: [PlainRoute]) -> Set<[[UInt8]]> {
        var beginnings: Set<[[UInt8]]> = []
        for route in routes {
            var path: [[UInt8]] = []
            beginnings.insert(path)
            for case .literal(let bytes) in route.pattern.segments.prefix(while: { $0.name == nil }) {
                path.append(bytes)
                beginnings.insert(path)
            }
        }
        return beginnings
    }

    /// Warns of a public route below a resource, which its author has declared so; rejects a public catch-all
    /// there.
    mutating func checkPublicRoutes(below blocks: [Block]) {
        guard !publicRoutes.isEmpty else { return }
        let paths = blocks.compactMap { block -> [[UInt8]]? in
            let base = block.routes.resource.identifier.path
            return (try? PathPattern(base.isEmpty ? "/" : base)).map { Self.literals(of: $0) }
        }
        let counts = Dictionary(paths.map { ($0, 1) }, uniquingKeysWith: +)
        let longest = paths.map(\.count).max() ?? 0
        for route in publicRoutes {
            for _ in 0..<Self.count(above: route.pattern, counts, longest) {
                if case .rest? = route.pattern.segments.last {
                    problems.append(
                        "the public route \(route.pattern) would open everything below a protected resource")
                } else {
                    warnings.append(
                        "the public route \(route.pattern) lies below a protected resource and needs no token"
                    )
                }
            }
        }
    }

    /// The number of resources whose path a pattern begins with, literally.
    private static func count(
        above pattern: PathPattern, _ counts: [[[UInt8]]: Int], _ longest: Int
    ) -> Int {
        var path: [[UInt8]] = []
        var count = counts[path] ?? 0
        for segment in pattern.segments.prefix(longest) {
            guard case .literal(let bytes) = segment else { break }
            path.append(bytes)
            count += counts[path] ?? 0
        }
        return count
    }
}
