// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP
internal import PortcullisTransport

// Finds the route of a request, and awaits its response.
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
        var (route, values) = context.table.destination(
            head.method, semantics.form, authority: forwarding?.host ?? Self.authority(head, semantics), path,
            isPreflight: CORSPolicy.isPreflight(head))
        if let asked = context.table.forwardAuth, asked.endpoint.owns(path) {
            (route, values) = (asked.hidden, [])
            context.core.noteStrangerAtForwardAuth(peer, asked.endpoint.path, loop.now)
        }
        if semantics.isTooLarge || context.table.hasRouteLimits && !isBodyAllowed(semantics, route) {
            (route, values) = (route.answeringTooLarge(), [])
        }
        var request = Request(
            head: head, path: path, queryRange: semantics.queryRange,
            parameters: route.parameters(values, in: path), body: requestBody, peer: peer,
            id: record?.value.id, forwarding: forwarding, isFromTrustedProxy: isFromTrustedProxy,
            certificateSource: certificateSource, describesRefusals: context.core.describesRefusals,
            traceSeed: record?.value.traceSeed ?? context.nextTraceSeed(),
            continuesTrace: context.core.traces.includes(isFromTrustedProxy), route: route)
        noteRoute(route, forwarding)
        begin(&request, route)
    }

    /// Runs a route as far as possible without waiting.
    func begin(_ request: inout Request, _ route: CompiledRoute) {
        answer(context.watching(route) { route.begin(&request) }, request, route)
    }

    /// Applies the limits of the route to the body.
    ///
    /// RFC 9110 §15.5.14.
    private func isBodyAllowed(_ semantics: RequestSemantics, _ route: CompiledRoute) -> Bool {
        let own = route.ownLimits?.value
        let limit = own?.maxBodyByteCount ?? limits.maxBodyByteCount
        guard semantics.declaredLength ?? 0 <= limit else { return false }
        body.limit = limit
        if let own { state.limitBody(own) }
        return true
    }

    /// Sends a response, or supplies what the gate needs: with the loop's budget and callbacks if possible,
    /// otherwise in a task.
    private func answer(
        _ outcome: consuming CompiledRoute.Outcome, _ request: Request, _ route: CompiledRoute
    ) {
        switch consume outcome {
        case .response(var response):
            finish(&response, request.head)
            respond(with: response, route)
        case .mustWait(let passage):
            if let relay = route.relay(after: passage) { return startRelay(relay, route, passage) }
            startTask(route, passage)
        case .needs(let need, let passage):
            let id = exchangeID
            switch need {
            case .signatureTime:
                beginWork()
                loop.executeCostly {
                    self.fulfil(id, passage, route, .signatureTime)
                }
            case .keys(let question):
                beginWork()
                question.ask { outcome in
                    self.fulfil(id, passage, route, .keys(outcome))
                }
            case .introspection(let question):
                beginWork()
                question.ask { reply in
                    self.fulfil(id, passage, route, .introspection(reply))
                }
            case .statusList(let question):
                beginWork()
                question.ask {
                    self.fulfil(id, passage, route, .statusList)
                }
            case .form, .sharedAnswer, .sharing, .replayVerdict, .decision:
                startTask(route, passage)
            }
        }
    }

    /// Takes what a need asked for, on the loop.
    private nonisolated func fulfil(
        _ id: UInt64, _ passage: CompiledRoute.Passage, _ route: CompiledRoute, _ answer: AdmissionAnswer
    ) {
        typealias Passage = CompiledRoute.Passage
        typealias Isolated = (isolated Connection, UInt64, Passage, CompiledRoute, AdmissionAnswer) -> Void
        typealias Plain = (Connection, UInt64, Passage, CompiledRoute, AdmissionAnswer) -> Void
        loop.checkIsolated()
        // SAFETY: the loop is this actor's executor, and the line above has seen that this runs on it; see
        // `ready`.
        unsafeBitCast(continueRequest as Isolated, to: Plain.self)(self, id, passage, route, answer)
    }

    /// Goes on with a request whose need is fulfilled.
    fileprivate func goOn(
        _ id: UInt64, _ passage: CompiledRoute.Passage, _ route: CompiledRoute, _ answer: AdmissionAnswer
    ) {
        endWork()
        // Verify nothing for a client that has left.
        guard isCurrent(id) else { return }
        passage.supply(answer)
        self.answer(context.watching(route) { route.advance(passage) }, passage.request, route)
        // Batches responses that become ready together; the callback may also run before `ask` returns.
        continueLater()
    }

    private static func authority(_ head: RequestHead, _ semantics: RequestSemantics) -> String {
        semantics.hostRange.map { head.text($0).lowercased() } ?? ""
    }

    /// The certificate of the client: from the field of a trusted proxy if proxies send it, otherwise that of
    /// the connection.
    ///
    /// RFC 8705 §6.5, RFC 9440 §2.
    private var certificateSource: ClientCertificate {
        if isFromTrustedProxy, let source = context.core.proxies.certificateSource { return source }
        return tls?.clientCertificate.map { .connection(der: $0) } ?? .none
    }

    func respond(with response: Response, _ route: CompiledRoute) {
        if streams(response) {
            startStreaming(response, route)
        } else {
            send(response, route)
        }
    }

    // MARK: Responses from a task

    private func startTask(_ route: CompiledRoute, _ passage: CompiledRoute.Passage) {
        let id = exchangeID
        let pool = context.core.pool
        beginWork()
        let control = route.isRelaying ? RelayControl(connection: self, id: id) : nil
        makePending().taskRoute = route
        makePending().task = Task(executorPreference: loop) {
            do {
                let response = try await route.respond(to: passage, pool, control)
                await self.complete(id, with: response, passage.request.head, route)
            } catch {
                await self.cut(id)
            }
            await self.endWork()
        }
        guard route.isRelaying else { return }
        state.handlerEndsWithClient()
        if state.hasLostStream { cancelHandler() }
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

/// What a connection does when a need is fulfilled, as a function without a context.
private func continueRequest(
    _ connection: isolated Connection, _ id: UInt64, _ passage: CompiledRoute.Passage,
    _ route: CompiledRoute, _ answer: AdmissionAnswer
) {
    connection.goOn(id, passage, route, answer)
}
