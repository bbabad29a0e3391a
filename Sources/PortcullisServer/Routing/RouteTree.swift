// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// A routing tree of path segments with the methods at its nodes.
struct RouteTree: Sendable {
    /// Refers to other nodes by index, so that a lookup retains nothing.
    private struct Node {
        /// Sorted by segment.
        var literals: [(segment: [UInt8], place: Int)] = []
        var parameter: Int?
        var rest: Methods?
        var methods: Methods?
    }

    /// The methods of one pattern.
    ///
    /// `GET` answers `HEAD` too.
    struct Methods: Sendable {
        fileprivate(set) var routes: [(method: Method, route: CompiledRoute)] = []

        subscript(_ method: Method) -> CompiledRoute? {
            if let exact = routes.first(where: { $0.method == method }) { return exact.route }
            if method == .head, let route = routes.first(where: { $0.method == .get })?.route { return route }
            guard method != .trace, method != .connect else { return nil }
            return routes.first { $0.method == .everyMethod }?.route
        }

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

    /// A path's methods, and the ranges of its parameters' values.
    struct Match {
        let methods: Methods
        let values: [Range<Int>]
    }

    private var nodes: [Node] = []

    init(_ routes: [(pattern: PathPattern, methods: [Method], route: CompiledRoute)]) {
        _ = add(routes.map { (ArraySlice($0.pattern.segments), $0.methods, $0.route) })
    }

    private typealias Item = (
        segments: ArraySlice<PathPattern.Segment>, methods: [Method], route: CompiledRoute
    )

    /// Adds a node and its subtree, and returns its index.
    private mutating func add(_ items: [Item]) -> Int {
        var literals: [[UInt8]: [Item]] = [:]
        var parameters: [Item] = []
        var rest = Methods()
        var here = Methods()
        for item in items {
            let tail = (item.segments.dropFirst(), item.methods, item.route)
            switch item.segments.first {
            case nil: here.routes += item.methods.map { ($0, item.route) }
            case .rest: rest.routes += item.methods.map { ($0, item.route) }
            case .parameter: parameters.append(tail)
            case .literal(let segment): literals[segment, default: []].append(tail)
            }
        }
        let place = nodes.count
        nodes.append(
            Node(rest: rest.routes.isEmpty ? nil : rest, methods: here.routes.isEmpty ? nil : here))
        for (segment, items) in literals.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let next = add(items)
            nodes[place].literals.append((segment, next))
        }
        if !parameters.isEmpty {
            let next = add(parameters)
            nodes[place].parameter = next
        }
        return place
    }

    /// Finds the best pattern for a path.
    ///
    /// - Parameter place: Where to begin, which the segments before those of the path lead to.
    func match(_ path: PathSegments, from place: Int = 0) -> Match? {
        var values: [Range<Int>] = []
        let methods = match(at: place, path, &values)
        return methods.map { Match(methods: $0, values: values) }
    }

    /// Where literal segments lead to, or `nil`.
    func place(of segments: [[UInt8]]) -> Int? {
        var place = 0
        for segment in segments {
            guard let next = segment.withUnsafeBytes({ literal(at: place, $0) }) else { return nil }
            place = next
        }
        return place
    }

    /// Goes down literal first, then parameter, then rest, and comes back from a dead end.
    ///
    /// Enters no node twice for one path.
    private func match(at place: Int, _ path: PathSegments, _ values: inout [Range<Int>]) -> Methods? {
        var rest = path
        guard let segment = rest.next() else { return nodes[place].methods }
        if let next = literal(at: place, path[segment]), let methods = match(at: next, rest, &values) {
            return methods
        }
        if let next = nodes[place].parameter, !segment.isEmpty {
            values.append(segment)
            if let methods = match(at: next, rest, &values) { return methods }
            values.removeLast()
        }
        guard let methods = nodes[place].rest else { return nil }
        values.append(segment.lowerBound..<path.end)
        return methods
    }

    private func literal(at place: Int, _ segment: UnsafeRawBufferPointer) -> Int? {
        ByteOrder.index(of: segment, among: nodes[place].literals.count) {
            nodes[place].literals[$0].segment
        }.map { nodes[place].literals[$0].place }
    }
}
