// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP
internal import PortcullisTransport

// How a request finds its route, and how the route's answer is awaited.
extension Connection {
    func answer(
        _ head: RequestHead, _ semantics: RequestSemantics, _ path: consuming RequestPath,
        _ forwarding: Forwarding?, _ requestBody: consuming RequestBody
    ) {
        if let host = forwarding?.host {
            context.watchHost(Array(host.utf8), 0..<host.utf8.count)
        } else if let range = semantics.hostRange {
            context.watchHost(head.bytes, range)
        }
        let (route, values) = context.table.destination(
            head.method, semantics.form, authority: forwarding?.host ?? Self.authority(head, semantics), path,
            isPreflight: CORSPolicy.isPreflight(head))
        let request = Request(
            head: head, path: path, queryRange: semantics.queryRange,
            parameters: Self.parameters(of: route, values, in: path), body: requestBody, peer: peer,
            id: record?.value.id, forwarding: forwarding, isFromTrustedProxy: isFromTrustedProxy,
            certificateSource: certificateSource, describesRefusals: context.core.describesRefusals)
        noteRoute(route, forwarding)
        answer(request, route, effort: .little)
    }

    private func answer(_ request: Request, _ route: CompiledRoute, effort: ProtectedResource.Effort) {
        answer(
            context.watching(route) { route.respondImmediately(to: request, effort: effort) }, request, route)
    }

    private func answer(
        _ outcome: consuming CompiledRoute.Outcome, _ request: Request, _ route: CompiledRoute
    ) {
        switch consume outcome {
        case .response(var response):
            finish(&response, request.head)
            respond(with: response, route, request)
        case .mustVerify(let request, let presented):
            let id = exchangeID
            beginWork()
            loop.executeCostly {
                self.assumeIsolated { connection in
                    connection.endWork()
                    connection.answer(id, request, route, effort: .all(presented))
                }
            }
        case .mustAsk(let request, let pending, let index):
            let id = exchangeID
            beginWork()
            pending.ask { decision in
                self.assumeIsolated { connection in
                    connection.endWork()
                    connection.resume(id, request, route, from: index, decision)
                }
            }
        case .mustWait(let request, let index):
            startTask(route, request, from: index)
        }
    }

    /// Goes on with a request whose token was asked about.
    private func resume(
        _ id: UInt64, _ request: Request, _ route: CompiledRoute, from index: Int,
        _ decision: Result<AccessToken, Refusal>
    ) {
        guard isCurrent(id) else { return }
        answer(context.watching(route) { route.resume(request, from: index, decision) }, request, route)
        // Answers that come in together are sent together; and this may be told before the question has been put.
        continueLater()
    }

    private func answer(
        _ id: UInt64, _ request: Request, _ route: CompiledRoute, effort: ProtectedResource.Effort
    ) {
        // Who has gone meanwhile costs no verification.
        guard isCurrent(id) else { return }
        answer(request, route, effort: effort)
        // The answers of a share are sent together, which wakes their clients once.
        continueLater()
    }

    private static func authority(_ head: RequestHead, _ semantics: RequestSemantics) -> String {
        semantics.hostRange.map { head.text($0).lowercased() } ?? ""
    }

    /// A proxy's own certificate says nothing of the client behind it.
    ///
    /// RFC 8705 §6.5, RFC 9440 §2.
    private var certificateSource: ClientCertificate {
        if isFromTrustedProxy {
            return context.core.proxies.sendsClientCertificates ? .trustedField : .none
        }
        return tls?.clientCertificate.map { .connection(der: $0) } ?? .none
    }

    private static func parameters(
        of route: CompiledRoute, _ values: [Range<Int>], in path: RequestPath
    ) -> Parameters {
        guard !values.isEmpty else { return Parameters() }
        let names = route.names.compactMap { $0 }
        return Parameters(
            zip(names, values).map { Parameters.Parameter(name: $0, value: path.decoded($1)) })
    }

    private func respond(with response: Response, _ route: CompiledRoute, _ request: Request) {
        if streams(response) {
            startStreaming(response, route)
        } else {
            send(response, route)
        }
    }

    // MARK: Answers by a task

    private func startTask(_ route: CompiledRoute, _ request: Request, from index: Int) {
        let id = exchangeID
        let pool = context.core.pool
        beginWork()
        makePending().taskRoute = route
        makePending().task = Task(executorPreference: loop) {
            do {
                let response = try await route.respond(to: request, from: index, pool)
                await self.complete(id, with: response, request.head, route)
            } catch {
                await self.cut(id)
            }
            await self.endWork()
        }
    }

    private func complete(
        _ id: UInt64, with response: Response, _ head: RequestHead, _ route: CompiledRoute
    ) async {
        context.watchdog.answered(route)
        guard isCurrent(id) else { return }
        var response = response
        finish(&response, head)
        if case .stream(let write) = response.body, streams(response) {
            beginStreaming(response, route)
            await stream(id, route, write)
        } else {
            send(response, route)
            goOn()
        }
    }
}
