// SPDX-License-Identifier: MIT

package import Portcullis
internal import PortcullisHTTP

/// One route, ready to run: what stands around the handler, outermost first, and the handler.
package final class CompiledRoute: Sendable {
    /// The pattern, for logs and metrics; a fixed word for what has none.
    package let name: String
    /// The identifier of the resource that the route belongs to.
    let resource: String?
    let segments: [PathPattern.Segment]
    package let names: [String?]
    /// How many segments at the start of the pattern are literal.
    let leadingLiteralCount: Int
    let middleware: [any Middleware]
    let immediate: [any ImmediateMiddleware]
    let handler: RouteHandler
    /// Which web pages may read the answers.
    let cors: CORSPolicy?
    /// Where among the middleware the first gate stands; behind the last one if there is none.
    private let gateIndex: Int
    package let gate: ResourceGate?
    /// The first gate, of whatever kind.
    private let guarding: (any GateMiddleware)?
    /// Where the metadata is, for answers that say so; the gate's refusals among them.
    private let link: String?

    init(
        name: String, segments: [PathPattern.Segment] = [], resource: String? = nil,
        cors: CORSPolicy? = nil, middleware: [any Middleware], handler: RouteHandler
    ) {
        self.name = name
        self.resource = resource
        self.segments = segments
        names = segments.map(\.name)
        leadingLiteralCount = segments.prefix { $0.name == nil }.count
        self.middleware = middleware
        immediate = middleware.compactMap { $0 as? any ImmediateMiddleware }
        self.handler = handler
        self.cors = cors
        gateIndex = middleware.firstIndex { $0 is any GateMiddleware } ?? middleware.count
        gate = middleware.lazy.compactMap { $0 as? ResourceGate }.first
        guarding = middleware.lazy.compactMap { $0 as? any GateMiddleware }.first
        link = guarding?.link
    }

    /// The answer, if it can be had without waiting; otherwise how far the request has come.
    package enum Outcome {
        case response(Response)
        /// A signature has to be checked: to be asked again with all effort, when there is time for it.
        case mustVerify(Request, PresentedToken)
        /// The issuer of the token has to be asked; ``resume(_:from:_:)`` takes what it says.
        case mustAsk(Request, PendingAuthorization, from: Int)
        case mustWait(Request, from: Int)
    }

    package func respondImmediately(
        to request: Request, effort: ProtectedResource.Effort = .little
    ) -> Outcome {
        readable(runImmediately(request, effort), request)
    }

    /// Goes on with a request behind the gate that has asked about its token, or answers with the refusal.
    package func resume(
        _ request: Request, from index: Int, _ decision: Result<AccessToken, Refusal>
    ) -> Outcome {
        switch decision {
        case .failure(let refusal):
            var response = Response(refusal)
            finish(&response, at: index)
            return readable(.response(response), request)
        case .success(let token):
            var admitted = request
            admitted.token = token
            return readable(runChain(admitted, .little, from: index + 1), request)
        }
    }

    private func readable(_ outcome: consuming Outcome, _ request: borrowing Request) -> Outcome {
        guard let cors else { return outcome }
        switch consume outcome {
        case .response(var response):
            cors.apply(to: &response, of: request.head, namesRequest: request.id != nil)
            return .response(response)
        case let other: return other
        }
    }

    private func runImmediately(_ request: Request, _ effort: ProtectedResource.Effort) -> Outcome {
        guard immediate.count == middleware.count else { return .mustWait(request, from: 0) }
        return immediate.isEmpty ? handle(request) : runChain(request, effort)
    }

    private func runChain(
        _ request: Request, _ effort: ProtectedResource.Effort, from start: Int = 0
    ) -> Outcome {
        var request = request
        for index in start..<immediate.count {
            switch immediate[index].decide(on: &request, effort: effort) {
            case .proceed: continue
            case .respond(var response):
                finish(&response, at: index)
                return .response(response)
            // Once somebody was asked the chain is not begun anew: he would be asked again.
            case .verify where start > 0: return .mustWait(request, from: index)
            case .verify(let presented): return .mustVerify(request, presented)
            case .ask(let pending): return .mustAsk(request, pending, from: index)
            case .wait: return .mustWait(request, from: index)
            }
        }
        return handle(request)
    }

    private func handle(_ request: Request) -> Outcome {
        guard var response = handler.respondImmediately(to: request) else {
            return .mustWait(request, from: middleware.count)
        }
        limit(&response, request)
        finish(&response, at: middleware.count)
        return .response(response)
    }

    /// Runs what is left of the chain.
    package func respond(to request: Request, from index: Int, _ pool: BlockingPool) async throws -> Response
    {
        var response = try await run(request, from: index, pool)
        cors?.apply(to: &response, of: request.head, namesRequest: request.id != nil)
        return response
    }

    private func run(_ request: Request, from index: Int, _ pool: BlockingPool) async throws -> Response {
        guard index < middleware.count else {
            var response = try await handler.respond(to: request, pool)
            limit(&response, request)
            finish(&response, at: index)
            return response
        }
        var response: Response
        do {
            response = try await middleware[index].respond(to: request) { request in
                try await self.run(request, from: index + 1, pool)
            }
        } catch let error as CancellationError where Task.isCancelled {
            throw error
        } catch {
            response = Response(answering: error)
        }
        finish(&response, at: index)
        return response
    }

    /// What a handler streams ends with the token that it was asked for with.
    private func limit(_ response: inout Response, _ request: Request) {
        guard let guarding, let token = request.token, case .stream = response.body else { return }
        response = guarding.streamExpiry.limiting(response, to: token)
    }

    /// What is answered behind a gate is for this caller alone, unless it says something else.
    private func finish(_ response: inout Response, at index: Int) {
        let isForThisCaller = index > gateIndex && !response.fields.contains(.cacheControl)
        if isForThisCaller { response.fields.append(.noStore) }
        if let link, index >= gateIndex, !response.fields.values(of: "Link").contains(link) {
            response.fields.append(link, for: "Link")
        }
    }
}

/// What a path leads to: a tree of segments with the methods at its nodes.
struct RouteTree: Sendable {
    /// Names others by their places: to walk down counts no references.
    private struct Node {
        /// In the order of their segments.
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
            return method == .head ? routes.first { $0.method == .get }?.route : nil
        }

        /// The value of `Allow`.
        ///
        /// RFC 9110 §10.2.1.
        var allowed: String {
            var names: [String] = []
            for (method, _) in routes where !names.contains(method.name) { names.append(method.name) }
            if names.contains("GET"), !names.contains("HEAD") { names.append("HEAD") }
            return names.joined(separator: ", ")
        }
    }

    /// A path's methods, and the segments that stand where its pattern has names.
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

    /// Adds a node and all that is below it, and says where it is.
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
    func match(_ path: PathSegments) -> Match? {
        var values: [Range<Int>] = []
        let methods = match(at: 0, path, &values)
        return methods.map { Match(methods: $0, values: values) }
    }

    /// Goes down literal first, then parameter, then rest, and comes back from a dead end.
    ///
    /// No node is entered twice for one path.
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
