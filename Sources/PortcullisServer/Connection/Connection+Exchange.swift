// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP
internal import PortcullisTransport

extension Connection {
    /// Begins to answer a request.
    ///
    /// - Returns: How many of the bytes behind the head belong to its body and were taken with it.
    func begin(_ head: RequestHead, _ rest: UnsafeRawBufferPointer) -> Int {
        let semantics: RequestSemantics
        let path: RequestPath
        let forwarding: Forwarding?
        do throws(MalformedMessage) {
            semantics = try RequestSemantics(head, maxBodyByteCount: limits.maxBodyByteCount)
            path = try RequestPath(head, semantics)
            forwarding = isFromTrustedProxy ? try context.core.proxies.forwarding(of: head) : nil
        } catch {
            refuse(error.status, head)
            return rest.count
        }
        // RFC 9110 §9.3.6: nothing here is a proxy, and what follows was meant for the other end of a tunnel.
        guard semantics.form != .authority else {
            refuse(.notImplemented, head)
            return rest.count
        }
        lastExchangeID += 1
        beginRecord(head)
        exchange = Exchange(
            id: lastExchangeID, version: head.version, isHead: head.method == .head,
            keepAlive: semantics.keepAlive && !context.isDraining,
            owesContinue: semantics.expectsContinue && rest.isEmpty)
        let (requestBody, taken) = takeWholeBody(semantics.framing, rest)
        answer(head, semantics, path, forwarding, requestBody)
        return taken
    }

    private func answer(
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
            beginWaiting()
            let id = lastExchangeID
            workCount += 1
            loop.executeCostly {
                self.assumeIsolated { connection in
                    connection.endWork()
                    connection.answer(id, request, route, effort: .all(presented))
                }
            }
        case .mustAsk(let request, let pending, let index):
            beginWaiting()
            let id = lastExchangeID
            workCount += 1
            pending.ask { decision in
                self.assumeIsolated { connection in
                    connection.endWork()
                    connection.resume(id, request, route, from: index, decision)
                }
            }
        case .mustWait(let request, let index):
            beginWaiting()
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

    private func beginWaiting() {
        phase = .exchange
        stateDeadline = .distantFuture
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

    // MARK: Answers at once

    private func respond(with response: Response, _ route: CompiledRoute, _ request: Request) {
        if streams(response) {
            phase = .exchange
            stateDeadline = .distantFuture
            startStreaming(response, route)
        } else {
            send(response, route)
        }
    }

    /// Whether a closure will write content.
    ///
    /// RFC 9110 §9.3.2, RFC 9112 §6.3.
    func streams(_ response: Response) -> Bool {
        guard case .stream = response.body, response.status != .resetContent else { return false }
        return exchange?.isHead == false && !response.status.forbidsContent
    }

    /// Puts a whole answer into the output and gets ready for the next request.
    func send(_ response: Response, _ route: CompiledRoute) {
        guard let isHead = exchange?.isHead, let version = exchange?.version else { return }
        report(response, route)
        var keepAlive = mayKeepAlive()
        var content: [UInt8] = []
        var framing = ResponseFraming.chunked
        var file: OpenFile?
        switch response.body {
        case .bytes(let bytes):
            content = bytes
            framing = .length(bytes.count)
        case .file(let open):
            file = open
            framing = .length(open.byteCount)
        case .stream: break
        }
        // RFC 9110 §15.3.6: no content, and the client is told so.
        if response.status == .resetContent {
            content = []
            file = nil
            framing = .length(0)
        }
        // As it would be for the content that is left out.
        if framing.permitted(for: response.status, requestVersion: version) == .untilClose {
            keepAlive = false
        }
        output.borrow(&context.outputBuffer)
        appendHead(
            ResponseHead(status: response.status, fields: response.fields), framing, keepAlive: keepAlive)
        if !isHead, !response.status.forbidsContent {
            output.append(content)
            if let file { return beginSending(file, keepAlive: keepAlive) }
        }
        finishExchange(keepAlive: keepAlive)
    }

    func appendHead(_ head: ResponseHead, _ framing: ResponseFraming, keepAlive: Bool) {
        guard let version = exchange?.version else { return }
        let dateLine = context.dateLine
        output.append { buffer in
            HeadSerializer.append(
                head, framing: framing, keepAlive: keepAlive, requestVersion: version, dateLine: dateLine,
                to: &buffer)
        }
    }

    /// Whether the next request on the connection can be found and is wanted.
    ///
    /// RFC 9112 §9.3, §9.6.
    func mayKeepAlive() -> Bool {
        guard exchange?.keepAlive == true, !context.isDraining else { return false }
        guard !body.isFinished else { return true }
        guard body.failure == nil else { return false }
        // A client that was not told to go on may send the body or not: nobody could tell it from the next request.
        if exchange?.owesContinue == true { return false }
        return body.remainingByteCount.map { $0 <= Server.Limits.maxDiscardedByteCount } ?? true
    }

    func makePending() -> PendingExchange {
        if let pending { return pending }
        let made = PendingExchange()
        pending = made
        return made
    }

    func endExchange() {
        exchange = nil
        if pending != nil { pending = nil }
    }

    func finishExchange(keepAlive: Bool) {
        endRecord(isComplete: true)
        endExchange()
        guard keepAlive else { return closeAfterOutput() }
        phase = .head
        waitForRequest()
        applyDeadline()
    }

    func report(_ response: Response, _ route: CompiledRoute) {
        record?.value.status = response.status
        record?.value.refusal = response.refusalReason
        record?.value.finding = response.refusalFinding
        guard let failure = response.failure else { return }
        context.core.log("error: the handler of \(route.name) threw \(failure)")
    }

    /// Answers a message that is wrong in itself, and ends the connection: nobody knows where the next one would begin.
    func refuse(_ status: Status, _ head: RequestHead? = nil, saying text: String? = nil) {
        let isHead = head?.method == .head
        lastExchangeID += 1
        beginRecord(head)
        record?.value.status = status
        exchange = Exchange(
            id: lastExchangeID, version: .http1_1, isHead: isHead, keepAlive: false, owesContinue: false)
        output.borrow(&context.outputBuffer)
        var response = text.map { .text($0, status: status) } ?? Response.problem(status)
        finish(&response, head)
        guard case .bytes(let content) = response.body else { return }
        let responseHead = ResponseHead(status: response.status, fields: response.fields)
        appendHead(responseHead, .length(content.count), keepAlive: false)
        if !isHead { output.append(content) }
        endRecord(isComplete: true)
        endExchange()
        closeAfterOutput()
    }

    // MARK: Answers by a task

    private func startTask(_ route: CompiledRoute, _ request: Request, from index: Int) {
        let id = lastExchangeID
        let pool = context.core.pool
        workCount += 1
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

    /// Notes that something came back that was under way.
    ///
    /// A client that resets the connection leaves behind what it has asked for: its place is free when that is over, or there could be
    /// any number of such requests at a time.
    func endWork() {
        workCount -= 1
        if phase == .closed, workCount == 0 { context.giveBackPlace() }
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

    /// Ends a connection whose answer will never be whole, so that the client can tell.
    func cut(_ id: UInt64) {
        guard isCurrent(id) else { return }
        abort()
    }

    func isCurrent(_ id: UInt64) -> Bool {
        phase == .exchange && exchange?.id == id
    }

    func cancelHandler() {
        pending?.task?.cancel()
    }
}
