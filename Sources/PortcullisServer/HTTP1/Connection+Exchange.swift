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
            semantics = try RequestSemantics(
                head, maxBodyByteCount: limits.maxBodyByteCount, refusesLargeBody: false)
            path = try RequestPath(head, semantics)
            forwarding = isFromTrustedProxy ? try context.core.proxies.forwarding(of: head) : nil
        } catch {
            refuse(error, head)
            return rest.count
        }
        // RFC 9110 §9.3.6: this server is not a proxy, and the rest was meant for the other end of a tunnel.
        guard semantics.form != .authority else {
            refuse(.notImplemented, head)
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
        // The framing of omitted content counts too.
        let permitted = framing.permitted(for: response.status, requestVersion: request.version)
        let keepAlive = state.answerBegan(
            isDelimited: permitted != .untilClose, isFile: file != nil, body.progress)
        output.borrow(&context.outputBuffer)
        appendHead(
            ResponseHead(status: response.status, fields: response.fields), framing, request.version,
            keepAlive: keepAlive)
        if let file {
            makePending().file = FileTransfer(file: file)
        } else {
            output.append(content)
            finishExchange()
        }
    }

    func appendHead(
        _ head: ResponseHead, _ framing: ResponseFraming, _ version: HTTPVersion, keepAlive: Bool
    ) {
        let dateLine = context.dateLine
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
        if pending != nil { pending = nil }
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
        context.core.log("error: the handler of \(route.name) threw \(failure)")
    }

    /// Answers a malformed message, and closes the connection.
    ///
    /// - Parameter line: The request line, if it was valid and there is no head.
    func refuse(
        _ malformation: MalformedMessage, _ head: RequestHead? = nil,
        begun line: (method: Method, target: [UInt8], version: HTTPVersion)? = nil, saying text: String? = nil
    ) {
        beginRecord(head)
        record?.value.malformation = malformation
        if let line {
            record?.value.method = line.method
            record?.value.requestLine = (line.target, line.version)
        }
        refuse(malformation.status, head, saying: text)
    }

    /// Answers a message that is not processed, and closes the connection.
    func refuse(_ status: Status, _ head: RequestHead? = nil, saying text: String? = nil) {
        if record == nil { beginRecord(head) }
        record?.value.status = status
        output.borrow(&context.outputBuffer)
        var response = text.map { .text($0, status: status) } ?? Response.problem(status)
        finish(&response, head)
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
    }
}
