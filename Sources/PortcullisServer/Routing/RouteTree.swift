// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// A routing tree of path segments with the methods at its nodes.
struct RouteTree: Sendable {
    /// Refers to everything by index, so that a lookup retains nothing and ten routes need a kilobyte.
    private struct Node {
        /// The nodes of the literal segments that follow, sorted by segment.
        var literals: Range<UInt32> = 0..<0
        /// The node of a parameter that follows; 0 if there is none.
        var parameter: UInt32 = 0
        /// The routes of the methods here, followed by those of a rest of the path.
        let firstRoute: UInt32
        let methodCount: UInt32
        let restCount: UInt32

        var methods: Range<Int>? {
            methodCount == 0 ? nil : Int(firstRoute)..<Int(firstRoute + methodCount)
        }
        var rest: Range<Int>? {
            restCount == 0
                ? nil : Int(firstRoute + methodCount)..<Int(firstRoute + methodCount + restCount)
        }
    }

    /// One method of a pattern.
    typealias Route = (method: Method, route: CompiledRoute)

    /// The methods of one pattern.
    struct Methods: Sendable {
        let routes: ArraySlice<Route>

        /// The value of `Allow`.
        ///
        /// RFC 9110 §10.2.1.
        var allowed: String {
            var names: [String] = []
            for (method, _) in routes {
                for name in method.namedMethods where !names.contains(name) { names.append(name) }
            }
            if names.contains("GET"), !names.contains("HEAD") { names.append("HEAD") }
            return names.joined(separator: ", ")
        }
    }

    /// The routes of a path, by their places in the tree, and the ranges of the parameters' values.
    struct Match {
        fileprivate let places: Range<Int>
        let values: [Range<Int>]
    }

    private let nodes: [Node]
    /// The literal segment that leads to each node.
    private let segments: ByteTable
    private let routes: [Route]

    /// - Parameter depth: The number of literal segments that all patterns begin with, which the paths of
    ///   lookups lack.
    init(_ routes: [(pattern: PathPattern, methods: [Method], route: CompiledRoute)], below depth: Int = 0) {
        var builder = Builder()
        builder.add([([], routes.map { ($0.pattern.segments, $0.methods, $0.route) })], depth: depth)
        // Copied, since arrays that have grown have room for more.
        nodes = builder.nodes.map { $0 }
        builder.segments.trim()
        segments = builder.segments
        self.routes = builder.routes.map { $0 }
    }

    private struct Builder {
        typealias Item = (segments: [PathPattern.Segment], methods: [Method], route: CompiledRoute)

        var nodes: [Node] = []
        var segments = ByteTable()
        var routes: [Route] = []

        /// Adds sibling nodes and their subtrees.
        mutating func add(_ siblings: [(segment: [UInt8], items: [Item])], depth: Int) {
            let first = nodes.count
            for (segment, items) in siblings {
                segments.append(segment)
                let firstRoute = routes.count
                let methodCount = add(items.filter { $0.segments.count == depth })
                let restCount = add(items.filter { $0.segments.count > depth && $0.segments[depth].isRest })
                nodes.append(
                    Node(
                        firstRoute: UInt32(firstRoute), methodCount: methodCount, restCount: restCount))
            }
            for (place, (_, items)) in zip(first..., siblings) {
                var literals: [[UInt8]: [Item]] = [:]
                var parameters: [Item] = []
                for item in items where item.segments.count > depth {
                    switch item.segments[depth] {
                    case .rest: break
                    case .parameter: parameters.append(item)
                    case .literal(let segment): literals[segment, default: []].append(item)
                    }
                }
                let sorted = literals.sorted { $0.key.lexicographicallyPrecedes($1.key) }
                nodes[place].literals = UInt32(nodes.count)..<UInt32(nodes.count + sorted.count)
                add(sorted.map { ($0.key, $0.value) }, depth: depth + 1)
                guard !parameters.isEmpty else { continue }
                nodes[place].parameter = UInt32(nodes.count)
                add([([], parameters)], depth: depth + 1)
            }
        }

        /// Adds the routes, and returns their number.
        private mutating func add(_ items: [Item]) -> UInt32 {
            let start = routes.count
            for item in items { routes += item.methods.map { ($0, item.route) } }
            return UInt32(routes.count - start)
        }
    }

    /// Finds the best pattern for a path.
    func match(_ path: PathSegments) -> Match? {
        var values: [Range<Int>] = []
        guard let found = match(at: 0, path, &values) else { return nil }
        return Match(places: found, values: values)
    }

    /// The methods of a path.
    func methods(of match: Match) -> Methods { Methods(routes: routes[match.places]) }

    /// The route for a method of a path, or `nil`; `GET` answers `HEAD` too.
    func route(for method: Method, of match: Match) -> CompiledRoute? {
        for place in match.places where routes[place].method == method { return routes[place].route }
        if method == .head, let route = route(for: .get, of: match) { return route }
        guard method != .trace, method != .connect, method != .everyMethod else { return nil }
        return route(for: .everyMethod, of: match)
    }

    /// Goes down literal first, then parameter, then rest, and comes back from a dead end.
    ///
    /// Enters no node twice for one path.
    private func match(at place: Int, _ path: PathSegments, _ values: inout [Range<Int>]) -> Range<Int>? {
        var rest = path
        guard let segment = rest.next() else { return nodes[place].methods }
        if let next = literal(at: place, path[segment]), let methods = match(at: next, rest, &values) {
            return methods
        }
        if nodes[place].parameter != 0, !segment.isEmpty {
            values.append(segment)
            if let methods = match(at: Int(nodes[place].parameter), rest, &values) { return methods }
            values.removeLast()
        }
        guard let methods = nodes[place].rest else { return nil }
        values.append(segment.lowerBound..<path.end)
        return methods
    }

    private func literal(at place: Int, _ segment: UnsafeRawBufferPointer) -> Int? {
        let literals = nodes[place].literals
        return segments.index(of: segment, in: Int(literals.lowerBound)..<Int(literals.upperBound))
    }
}

extension PathPattern.Segment {
    fileprivate var isRest: Bool {
        if case .rest = self { true } else { false }
    }
}
