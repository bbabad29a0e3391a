// SPDX-License-Identifier: MIT

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

    // MARK: Answers

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

    /// Notes that something came back that was under way.
    ///
    /// A client that resets the connection leaves behind what it has asked for: its place is free when that is over, or there could be
    /// any number of such requests at a time.
    func endWork() {
        workCount -= 1
        if phase == .closed, workCount == 0 { context.giveBackPlace() }
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
