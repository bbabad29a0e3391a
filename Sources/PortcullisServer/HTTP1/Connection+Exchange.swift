// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport

extension Connection {
    /// Starts answering a request.
    ///
    /// - Returns: The number of bytes after the head that were taken as its body.
    func begin(_ head: RequestHead, _ rest: UnsafeRawBufferPointer) -> Int {
        let semantics: RequestSemantics
        let path: RequestPath
        let forwarding: Forwarding?
        do throws(MalformedMessage) {
            // A route with a limit of its own is known only later.
            semantics = try RequestSemantics(
                head, maxBodyByteCount: max(limits.maxBodyByteCount, context.table.largestBodyLimit ?? 0),
                refusesLargeBody: false)
            path = try RequestPath(head, semantics)
            if let asked = asked(path) { return decide(asked, head, semantics, path, rest) }
            forwarding = isFromTrustedProxy ? try context.core.proxies.forwarding(of: head) : nil
        } catch {
            refuse(error, head)
            return rest.count
        }
        // RFC 9110 §9.3.6: this server makes no tunnels, and the rest was meant for the other end of one.
        guard semantics.form != .authority else {
            refuse(context.table.hasRelays ? .methodNotAllowed : .notImplemented, head)
            return rest.count
        }
        state.requestAccepted(
            version: head.version, isHead: head.method == .head,
            keepAlive: semantics.keepAlive && !semantics.isTooLarge)
        beginRecord(head)
        let (requestBody, taken) = takeBody(semantics, rest)
        answer(head, semantics, path, forwarding, requestBody)
        return taken
    }

    // MARK: Responses

    /// Whether a closure will write content.
    ///
    /// RFC 9110 §9.3.2, RFC 9112 §6.3.
    func streams(_ response: Response) -> Bool {
        guard case .stream = response.body, response.status != .resetContent else { return false }
        if response.relayed?.upgradeHead != nil { return true }
        return state.request?.isHead == false && !response.status.forbidsContent
    }

    /// Appends a whole response to the output and prepares for the next request.
    func send(_ response: Response, _ route: CompiledRoute) {
        guard let request = state.request else { return }
        report(response, route)
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
        // RFC 9110 §15.3.6: no content, and `Content-Length: 0`.
        if response.status == .resetContent {
            content = []
            file = nil
            framing = .length(0)
        }
        if request.isHead || response.status.forbidsContent {
            content = []
            file = nil
        }
        // RFC 9110 §8.6: the length of the content that GET would have, if the other server declares it.
        if request.isHead, let relayed = response.relayed {
            framing = relayed.contentLength.map { .length($0) } ?? .none
        }
        // The framing of omitted content counts too.
        let permitted = framing.permitted(for: response.status, requestVersion: request.version)
        let keepAlive = state.answerBegan(
            isDelimited: permitted != .untilClose, isFile: file != nil, body.progress)
        output.borrow(&context.outputBuffer)
        appendHead(
            ResponseHead(status: response.status, fields: response.fields), framing, request.version,
            keepAlive: keepAlive, relayed: response.relayed)
        if let file {
            makePending().file = FileTransfer(file: file)
        } else {
            output.append(content)
            finishExchange()
        }
    }

    func appendHead(
        _ head: ResponseHead, _ framing: ResponseFraming, _ version: HTTPVersion, keepAlive: Bool,
        relayed: RelayedHead? = nil
    ) {
        var dateLine = context.dateLine
        if let relayed {
            dateLine = relayed.dateLine ?? dateLine
            if !relayed.rawLines.isEmpty { dateLine += relayed.rawLines }
        }
        output.append { buffer in
            HeadSerializer.append(
                head, framing: framing, keepAlive: keepAlive, requestVersion: version, dateLine: dateLine,
                to: &buffer)
        }
    }

    func makePending() -> PendingExchange {
        if let pending { return pending }
        let made = PendingExchange()
        pending = made
        return made
    }

    /// The response is complete: prepares for the next request.
    func finishExchange() {
        endRecord(isComplete: true)
        if let ended = pending {
            pending = nil
            // Another task may still read the request's body.
            ended.bodyWaiter?.resume(throwing: RequestBodyError.notAvailable)
        }
        execute(state.answerEnded(body.progress, loop.now))
    }

    func report(_ response: Response, _ route: CompiledRoute) {
        record?.value.status = response.status
        record?.value.refusal = response.refusalReason
        record?.value.finding = response.refusalFinding
        record?.value.malformation = response.malformation
        if let ignored = response.ignoredCertificate {
            context.core.noteIgnoredCertificate(ignored, loop.now)
        }
        guard let failure = response.failure else { return }
        context.core.log(.error("the handler of \(route.name) threw \(failure)", ["route": route.name]))
    }

    /// Answers a malformed message, and closes the connection.
    ///
    /// - Parameters:
    ///   - line: The request line, if it was valid and there is no head.
    ///   - received: What has arrived of the request, if there is no head.
    func refuse(
        _ malformation: MalformedMessage, _ head: RequestHead? = nil,
        begun line: (method: Method, target: [UInt8], version: HTTPVersion)? = nil,
        received: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        saying text: String? = nil
    ) {
        beginRecord(head)
        record?.value.malformation = malformation
        if let line {
            record?.value.method = line.method
            record?.value.requestLine = (line.target, line.version)
        }
        refuse(malformation.status, head, received: received, saying: text)
    }

    /// Answers a message that is not processed, and closes the connection.
    func refuse(
        _ status: Status, _ head: RequestHead? = nil,
        received: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        saying text: String? = nil
    ) {
        if record == nil { beginRecord(head) }
        record?.value.status = status
        output.borrow(&context.outputBuffer)
        var response = text.map { .text($0, status: status) } ?? Response.problem(status)
        // RFC 9110 §15.5.6.
        if status == .methodNotAllowed { response.fields[.allow] = "GET, HEAD, OPTIONS" }
        finishDecision(&response, head)
        finish(&response, head)
        if let head {
            context.table.refusalPolicy?.apply(
                toRefusal: &response, of: head, namesRequest: record?.value.id != nil)
        } else {
            context.table.refusalPolicy?.apply(toRefusal: &response, ofUnread: received)
        }
        guard case .bytes(let content) = response.body else { return }
        let responseHead = ResponseHead(status: response.status, fields: response.fields)
        appendHead(responseHead, .length(content.count), .http1_1, keepAlive: false)
        if head?.method != .head { output.append(content) }
        endRecord(isComplete: true)
        execute(state.refuse())
    }

    /// Counts a started handler, request to an issuer or signature check, which ends with ``endWork()``.
    func beginWork() {
        state.workBegan()
    }

    func endWork() {
        execute(state.workEnded())
    }

    /// Closes a connection whose response can't be completed, so that the client notices.
    func cut(_ id: UInt64) {
        guard isCurrent(id) else { return }
        abort()
    }

    /// The number of the current exchange.
    var exchangeID: UInt64 { state.exchangeID }

    func isCurrent(_ id: UInt64) -> Bool {
        state.isCurrent(id)
    }

    func cancelHandler() {
        pending?.task?.cancel()
        pending?.relay?.cancel()
    }
}
