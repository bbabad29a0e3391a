// SPDX-License-Identifier: MIT

package import Portcullis
package import PortcullisHTTP

/// One route, ready to run: its middleware, outermost first, and its handler.
package final class CompiledRoute: Sendable {
    /// The pattern, for logs and metrics; a fixed word for what has none.
    package let name: String
    /// The names of the pattern's parameters, in order.
    package let names: [String]
    /// The methods that it was declared with.
    package let methods: [Method]
    /// The number of literal segments at the start of the pattern.
    let leadingLiteralCount: Int
    let shared: RouteChain
    let handler: RouteHandler
    let kind: Kind
    /// The limits that differ from the server's; `nil` if all are the server's.
    let ownLimits: OwnLimits?
    /// The last change of a response; `nil` for routes of direct requests.
    let completion: Completion?
    /// The status of what is answered after the gate where no route has the path or the method: 404, 405, or
    /// 204 for `OPTIONS`; `nil` for a route.
    package let unmatchedStatus: Status?

    typealias Completion = @Sendable (inout Response) -> Void

    /// What a route is to a proxy that asks before it passes a request on.
    enum Kind: Sendable {
        /// Declared by the app: the server behind the proxy answers in place of its handler.
        case declared
        /// A document of this server, for everybody.
        case document
        /// An answer of the router, after the gate where there is one: 404, 405, or 204 to `OPTIONS`.
        case unmatched
        /// 204 to a preflight, under the policy if there is one.
        ///
        /// Indirect, since hardly any of a hundred thousand routes has one.
        indirect case preflight(CORSPolicy?)
        /// The path or the host belongs to nothing.
        case nothing
    }

    init(
        name: String, names: [String] = [], methods: [Method] = [], leadingLiteralCount: Int = 0,
        _ shared: RouteChain, handler: RouteHandler, limits: OwnLimits? = nil, kind: Kind = .declared,
        unmatchedStatus: Status? = nil, completion: Completion? = nil
    ) {
        self.kind = kind
        self.methods = methods
        ownLimits = limits
        self.completion = completion
        self.unmatchedStatus = unmatchedStatus
        self.name = name
        self.names = names
        self.leadingLiteralCount = leadingLiteralCount
        self.shared = shared
        self.handler = handler
    }

    /// - Parameter names: The names of the pattern's parameters.
    convenience init(
        _ pattern: PathPattern, names: [String], methods: [Method], _ shared: RouteChain,
        handler: RouteHandler, limits: OwnLimits?
    ) {
        self.init(
            // A copy, so that the name does not keep the memory of a file that it was read from.
            name: String(decoding: Array(pattern.description.utf8), as: UTF8.self), names: names,
            methods: methods, leadingLiteralCount: pattern.segments.prefix { $0.name == nil }.count, shared,
            handler: handler, limits: limits)
    }

    /// The parameters of the pattern, with the parts of a path that the route was found by.
    package func parameters(_ values: [Range<Int>], in path: RequestPath) -> PathParameters {
        guard !values.isEmpty else { return PathParameters() }
        return PathParameters(
            zip(names, values).map { PathParameters.Parameter(name: $0, value: path.decoded($1)) })
    }

    /// The identifier of the resource that the route belongs to.
    package var resource: String? { shared.resource }
    /// The CORS policy of the responses.
    var cors: CORSPolicy? { shared.cors }
    /// The gate of the route's resource.
    package var gate: ResourceGate? { shared.guarding as? ResourceGate }
    /// Whether the handler asks another server.
    var isRelaying: Bool { handler.relay != nil }
    private var chain: [RouteChain.Link] { shared.links }
    private var gateIndex: Int { shared.gateIndex }

    /// A request that has to wait at some middleware of the chain.
    // SAFETY: one owner at a time, which supplies the gate's need and then continues, on the loop or in a
    // task.
    package final class Passage: @unchecked Sendable {
        package let request: Request
        /// The index of the next middleware.
        fileprivate let index: Int
        /// The decision of the gate there, if it is begun.
        fileprivate let decision: BegunAdmission?
        /// What the middleware that it has passed does to the answer, outermost first.
        fileprivate let finishers: [Finisher]

        fileprivate init(
            _ request: Request, at index: Int, _ decision: BegunAdmission?,
            _ finishers: [Finisher]
        ) {
            self.request = request
            self.index = index
            self.decision = decision
            self.finishers = finishers
        }

        /// Supplies what the gate needs.
        package func supply(_ answer: AdmissionAnswer) {
            decision?.supply(answer)
        }
    }

    fileprivate typealias Finisher = @Sendable (inout Response) -> Void

    /// The response, if it needs no waiting; otherwise the request's progress.
    package enum Outcome {
        case response(Response)
        /// The gate needs something; ``advance(_:)`` continues once it is supplied.
        case needs(AdmissionNeed, Passage)
        /// Call ``respond(to:_:)`` in a task.
        case mustWait(Passage)
    }

    /// Begins to answer a request, which then holds the token that it was let in with.
    package func begin(_ request: inout Request) -> Outcome {
        if let gate = shared.onlyLink {
            return readable(pass(gate, at: 0, &request, nil, []) ?? handle(request, []), request)
        }
        return readable(chain.isEmpty ? handle(request, []) : run(&request, nil), request)
    }

    /// Continues with a request as far as possible without waiting.
    package func advance(_ passage: Passage) -> Outcome {
        var request = passage.request
        return readable(run(&request, passage), request)
    }

    private func readable(_ outcome: consuming Outcome, _ request: borrowing Request) -> Outcome {
        guard shared.cors != nil || completion != nil else { return outcome }
        switch consume outcome {
        case .response(var response):
            shared.cors?.apply(to: &response, of: request.head, namesRequest: request.id != nil)
            completion?(&response)
            return .response(response)
        case let other: return other
        }
    }

    private func run(_ request: inout Request, _ passage: Passage?) -> Outcome {
        var finishers = passage?.finishers ?? []
        var begun = passage?.decision
        for index in (passage?.index ?? 0)..<chain.count {
            switch chain[index] {
            case .waiting: return .mustWait(Passage(request, at: index, nil, finishers))
            case .nonWaiting(let middleware):
                switch middleware.intercept(&request) {
                case .proceed: continue
                case .proceedThenFinish(let finish): finishers.append(finish)
                case .respond(let response): return .response(finished(response, at: index, finishers))
                }
            case .gate(let gate):
                if let outcome = pass(gate, at: index, &request, begun, finishers) { return outcome }
                begun = nil
            }
        }
        return handle(request, finishers)
    }

    /// Returns `nil` if the gate admits the request.
    @inline(__always)
    private func pass(
        _ gate: RouteChain.Gate, at index: Int, _ request: inout Request, _ begun: BegunAdmission?,
        _ finishers: [Finisher]
    ) -> Outcome? {
        switch begun.map({ gate.middleware.advance($0, &request) }) ?? gate.middleware.begin(&request) {
        case .proceed: return nil
        case .respond(let response): return .response(finished(response, at: index, finishers))
        case .needs(let need, let decision):
            return .needs(need, Passage(request, at: index, decision, finishers))
        case .wait: return .mustWait(Passage(request, at: index, nil, finishers))
        }
    }

    private func handle(_ request: Request, _ finishers: [Finisher]) -> Outcome {
        var response: Response
        do {
            guard let answer = try handler.respondImmediately(to: request) else {
                return .mustWait(Passage(request, at: chain.count, nil, finishers))
            }
            response = answer
        } catch {
            response = answerAtOnce(error, request)
        }
        limit(&response, request)
        return .response(finished(response, at: chain.count, finishers))
    }

    private func finished(_ response: consuming Response, at index: Int, _ finishers: [Finisher]) -> Response
    {
        finish(&response, at: index)
        for finish in finishers.reversed() { finish(&response) }
        return response
    }

    /// Runs the rest of the chain.
    package func respond(
        to passage: Passage, _ pool: BlockingPool, _ control: (any ExchangeControl)? = nil
    ) async throws -> Response {
        var response = try await run(passage.request, from: passage.index, passage, pool, control)
        complete(&response, passage)
        return response
    }

    /// The relay that answers a request next, if it has passed the whole chain.
    func relay(after passage: Passage) -> (any Relay)? {
        passage.index == chain.count ? handler.relay : nil
    }

    /// The response made from a relay's; `nil` if it was cancelled.
    func response(_ result: Result<Response, any Error>, to passage: Passage) -> Response? {
        var response: Response
        switch result {
        case .success(let relayed): response = relayed
        case .failure(is CancellationError): return nil
        case .failure(let error): response = answerAtOnce(error, passage.request)
        }
        finishInnermost(&response, passage.request)
        complete(&response, passage)
        return response
    }

    private func finishInnermost(_ response: inout Response, _ request: Request) {
        if cors != nil, response.relayed != nil { CORSPolicy.removeFields(from: &response.fields) }
        limit(&response, request)
        finish(&response, at: chain.count)
    }

    private func complete(_ response: inout Response, _ passage: Passage) {
        for finish in passage.finishers.reversed() { finish(&response) }
        cors?.apply(to: &response, of: passage.request.head, namesRequest: passage.request.id != nil)
        completion?(&response)
    }

    private func run(
        _ request: Request, from index: Int, _ passage: Passage?, _ pool: BlockingPool,
        _ control: (any ExchangeControl)?
    ) async throws -> Response {
        guard index < chain.count else {
            var response: Response
            do {
                response = try await handler.respond(to: request, pool, control)
            } catch let error as CancellationError where Task.isCancelled {
                throw error
            } catch {
                response = try answer(error, request, at: index)
            }
            finishInnermost(&response, request)
            return response
        }
        var response: Response
        do {
            switch chain[index] {
            case .gate(let gate):
                let next: Middleware.Next = { try await self.run($0, from: index + 1, nil, pool, control) }
                if let decision = passage?.decision {
                    response = try await gate.middleware.respond(
                        to: request, continuing: decision, next: next)
                } else {
                    response = try await gate.middleware.respond(to: request, next: next)
                }
            case .nonWaiting(let middleware):
                response = try await intercept(middleware, at: index, request, pool, control)
            case .waiting(let middleware):
                response = try await surround(middleware, at: index, request, pool, control)
            }
        } catch let error as CancellationError where Task.isCancelled {
            throw error
        } catch let passing as PassingError {
            throw passing
        } catch {
            response = try answer(error, request, at: index)
        }
        finish(&response, at: index)
        return response
    }

    /// Runs a middleware that does not wait, which changes the response to an error too.
    private func intercept(
        _ middleware: any NonWaitingMiddleware, at index: Int, _ request: Request, _ pool: BlockingPool,
        _ control: (any ExchangeControl)?
    ) async throws -> Response {
        var request = request
        switch middleware.intercept(&request) {
        case .respond(let response): return response
        case .proceed: return try await run(request, from: index + 1, nil, pool, control)
        case .proceedThenFinish(let finish):
            do {
                var response = try await run(request, from: index + 1, nil, pool, control)
                finish(&response)
                return response
            } catch let passing as PassingError {
                throw passing.passed(finish)
            }
        }
    }

    /// Runs a middleware that waits, which sees the errors of what it surrounds.
    private func surround(
        _ middleware: any Middleware, at index: Int, _ request: Request, _ pool: BlockingPool,
        _ control: (any ExchangeControl)?
    ) async throws -> Response {
        let caught = CaughtFinishers()
        do {
            var response = try await middleware.respond(to: request) { request in
                try await caught.catching {
                    try await self.run(request, from: index + 1, nil, pool, control)
                }
            }
            for finish in caught.all { finish(&response) }
            return response
        } catch let error as CancellationError where Task.isCancelled {
            throw error
        } catch {
            var response: Response
            do throws(PassingError) {
                response = try answer(error, request, at: index)
            } catch {
                throw PassingError(error.error, caught.all + error.finishers)
            }
            limit(&response, request)
            for finish in caught.all { finish(&response) }
            return response
        }
    }

    /// Limits a stream to the lifetime of the request's token.
    private func limit(_ response: inout Response, _ request: Request) {
        guard case .stream = response.body, let guarding = shared.guarding, let token = request.token else {
            return
        }
        response = guarding.streamExpiry.limiting(response, to: token)
    }

    /// A response after a gate is for this client only, unless it sets its own `Cache-Control`.
    ///
    /// Where the token is optional, caches must not give the response for one kind of client to the other: RFC
    /// 9110 §12.5.5.
    func finish(_ response: inout Response, at index: Int) {
        if shared.mayLackToken, index > gateIndex,
            !response.fields.values(of: .vary).contains("Authorization")
        {
            response.fields.append("Authorization", for: .vary)
        }
        if index > gateIndex, !response.fields.haveCacheControl { response.fields.appendNoStore() }
        if let link = shared.link, index >= gateIndex, !response.fields.values(of: "Link").contains(link) {
            response.fields.append(link, for: "Link")
        }
    }
}
