// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// Everything that one authority serves: documents, guarded resources, public routes.
struct Site: Sendable {
    /// Where every metadata document lies.
    ///
    /// RFC 9728 §3.1.
    static let wellKnownPrefix = Array("/.well-known/oauth-protected-resource".utf8)

    let documents: [String: CompiledRoute]
    let resources: ResourceTree
    let publicRoutes: RouteTree
    let notFound: CompiledRoute
    /// 404 for a metadata location without a document.
    let noDocument: CompiledRoute

    /// A route, and the segments that its names stand for.
    typealias Destination = (route: CompiledRoute, values: [Range<Int>])

    /// Decides who answers a request.
    ///
    /// A public route that is written below a resource beats its gate; nothing else does.
    ///
    func destination(_ method: Method, _ path: RequestPath, _ segments: [Range<Int>]) -> Destination {
        if isWellKnown(path) { return (documents[path.text] ?? noDocument, []) }
        let resource = resources.owner(of: path, segments)
        let match = publicRoutes.match(path, segments)
        if let match, let route = match.methods[method],
            route.leadingLiteralCount >= resource?.segmentCount ?? 0
        {
            return (route, match.values)
        }
        if let resource { return resource.destination(method, path, segments) }
        guard let match else { return (notFound, []) }
        return (notFound.answering(methodsAllowed: match.methods.allowed, to: method), [])
    }

    private func isWellKnown(_ path: RequestPath) -> Bool {
        let prefix = Self.wellKnownPrefix
        guard path.range.count >= prefix.count else { return false }
        let bytes = path.bytes[path.range]
        let end = bytes.startIndex + prefix.count
        return bytes.prefix(prefix.count).elementsEqual(prefix)
            && (end == bytes.endIndex || bytes[end] == 0x2F)
    }
}

/// A resource with its routes, ready to be asked.
final class GuardedResource: Sendable {
    /// The literal segments that lead to the resource.
    let segments: [[UInt8]]
    /// Whether the identifier ends with a slash, so that only what lies below it belongs to the resource.
    let endsWithSlash: Bool
    private let routes: RouteTree
    /// 404 behind the gate.
    private let notFound: CompiledRoute

    init(path: PathPattern, routes: RouteTree, notFound: CompiledRoute) {
        var segments = path.segments.compactMap { segment -> [UInt8]? in
            if case .literal(let bytes) = segment { bytes } else { nil }
        }
        endsWithSlash = segments.last?.isEmpty ?? false
        if endsWithSlash { segments.removeLast() }
        self.segments = segments
        self.routes = routes
        self.notFound = notFound
    }

    var segmentCount: Int { segments.count }

    func destination(_ method: Method, _ path: RequestPath, _ segments: [Range<Int>]) -> Site.Destination {
        guard let match = routes.match(path, segments) else { return (notFound, []) }
        if let route = match.methods[method] { return (route, match.values) }
        return (notFound.answering(methodsAllowed: match.methods.allowed, to: method), [])
    }
}

/// Finds the resource with the longest path that a request's path begins with, by whole segments.
struct ResourceTree: Sendable {
    private final class Node: Sendable {
        let segment: [UInt8]
        let resource: GuardedResource?
        let children: [Node]

        init(segment: [UInt8], depth: Int, _ resources: [GuardedResource]) {
            self.segment = segment
            // Resources that differ in their query alone share their routes: the first ones.
            resource = resources.first { $0.segmentCount == depth }
            let below = resources.filter { $0.segmentCount > depth }
            let deeper = Dictionary(grouping: below) { $0.segments[depth] }
            children = deeper.sorted { $0.key.lexicographicallyPrecedes($1.key) }
                .map { Node(segment: $0.key, depth: depth + 1, $0.value) }
        }

        func child(_ segment: ArraySlice<UInt8>) -> Node? {
            var low = 0
            var high = children.count
            while low < high {
                let middle = (low + high) / 2
                if children[middle].segment.elementsEqual(segment) { return children[middle] }
                if segment.lexicographicallyPrecedes(children[middle].segment) {
                    high = middle
                } else {
                    low = middle + 1
                }
            }
            return nil
        }
    }

    private let root: Node

    init(_ resources: [GuardedResource]) {
        root = Node(segment: [], depth: 0, resources)
    }

    func owner(of path: RequestPath, _ segments: [Range<Int>]) -> GuardedResource? {
        var owner = root.resource
        var node = root
        for (index, segment) in segments.enumerated() {
            guard let next = node.child(path.bytes[segment]) else { return owner }
            node = next
            guard let resource = node.resource, !resource.endsWithSlash || index + 1 < segments.count else {
                continue
            }
            owner = resource
        }
        return owner
    }
}

extension CompiledRoute {
    /// The same way in, with the methods of a path as the answer: 405 or, to `OPTIONS`, the list alone.
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
            name: name, resource: resource, middleware: middleware, handler: .immediate { _ in answer })
    }
}
