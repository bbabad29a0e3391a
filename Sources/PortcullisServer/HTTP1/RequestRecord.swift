// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP
internal import PortcullisTransport

/// What is known so far about a request that will be reported; made only if reports are needed.
struct RequestRecord {
    /// The route name of a malformed message.
    static let malformed = "malformed"

    var route = malformed
    var method: Method
    /// `nil` for a malformed head.
    var version: HTTPVersion?
    let begun: MonotonicInstant
    /// The bytes appended to the output before this request.
    let sentBefore: Int
    var status: Status?
    var refusal: RefusalReason?
    var finding: RefusalFinding?
    var malformation: MalformedMessage?
    var receivedByteCount: Int
    /// The request ID, for the log, the response and the body of a refusal.
    var id: String?
    /// Kept for the path, if there is an access log.
    var head: RequestHead?
    /// Target and version of a message without a head whose request line was valid.
    var requestLine: (target: [UInt8], version: HTTPVersion)?
    /// The identifier of the resource that the request belongs to.
    var resource: String?
    /// The path where a proxy asked about the request; `nil` for a direct request.
    var forwardAuth: String?
    /// The client's address according to trusted proxies.
    var client: String?
    /// Whether the client used TLS, as far as trusted proxies tell.
    var isEncrypted = false
    /// The seed of the request's trace, in case it begins here; `nil` without an access log.
    var traceSeed: TraceSeed?
}

extension Connection {
    /// Begins the record of a request, if records are needed; without a head only the response is known.
    func beginRecord(_ head: RequestHead?) {
        guard context.keepsRecords else { return }
        var begun = RequestRecord(
            method: head?.method ?? "unknown", begun: loop.now, sentBefore: output.appendedByteCount,
            receivedByteCount: head?.bytes.count ?? 0, id: requestID(head))
        begun.isEncrypted = isEncrypted
        begun.version = head?.version
        if context.core.accessLog != nil {
            begun.head = head
            begun.traceSeed = context.nextTraceSeed()
        }
        record = Record(begun)
    }

    /// The ID from a trusted proxy, otherwise a new one; `nil` if requests get no IDs.
    private func requestID(_ head: RequestHead?) -> String? {
        guard context.core.assignsRequestIDs else { return nil }
        if isFromTrustedProxy, let given = head.flatMap(RequestIDSource.given) { return given }
        return context.nextRequestID()
    }

    func noteRoute(_ route: CompiledRoute, _ forwarding: Forwarding?) {
        guard let record else { return }
        record.value.client = forwarding?.client
        if let scheme = forwarding?.scheme { record.value.isEncrypted = scheme == "https" }
        record.value.route = route.name
        record.value.resource = route.resource
    }

    /// Records the told request in place of its carrier.
    func noteTold(_ told: ToldRequest, at path: String) {
        guard let record else { return }
        record.value.forwardAuth = path
        record.value.method = told.head.method
        if record.value.head != nil { record.value.head = told.head }
    }

    /// Records what is told of a request in place of its carrier.
    func noteTold(_ fault: UnreadableCarrier, at path: String) {
        guard let record else { return }
        record.value.forwardAuth = path
        guard let told = fault.told, let head = record.value.head else { return }
        record.value.method = told.method
        record.value.requestLine = (told.target, head.version)
        record.value.head = nil
    }

    func noteReceived(_ count: Int) {
        record?.value.receivedByteCount += count
    }

    /// Reports the request, whose response is complete or will never be.
    func endRecord(isComplete: Bool) {
        guard let ended = record?.value else { return }
        record = nil
        let summary = RequestSummary(
            route: ended.route, method: ended.method, status: ended.status, isComplete: isComplete,
            duration: .now() - ended.begun, receivedByteCount: ended.receivedByteCount,
            sentByteCount: output.appendedByteCount - ended.sentBefore, refusal: ended.refusal,
            finding: ended.finding, malformation: ended.malformation, isEncrypted: ended.isEncrypted,
            protocolVersion: (ended.version ?? ended.requestLine?.version).map {
                $0 == .http1_1 ? "1.1" : "1.0"
            })
        context.recorder?.record(.requestFinished(summary))
        guard let log = context.core.accessLog else { return }
        var line = AccessLogLine(
            summary, client: ended.client ?? peer.host,
            path: ended.head.map { Self.loggedPath($0.bytes[$0.targetRange]) }
                ?? ended.requestLine.map { Self.loggedPath($0.target[...]) },
            version: ended.head?.version ?? ended.requestLine?.version ?? .http1_1, id: ended.id,
            resource: ended.resource)
        line.forwardAuth = ended.forwardAuth
        if let head = ended.head, let seed = ended.traceSeed {
            let isTrusted = context.core.traces.includes(isFromTrustedProxy)
            line.trace = TraceContext.of(head, isTrusted: isTrusted, seed: seed)
        }
        log.add(line)
    }

    /// The path of the target, never its query, which may hold secrets.
    private static func loggedPath(_ target: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let target = target.prefix { $0 != 0x3F }
        guard target.first != 0x2F, target != [0x2A] else { return target }
        // In an absolute URI the path begins at the third slash; an authority has none.
        let slashes = target.indices.lazy.filter { target[$0] == 0x2F }.prefix(3)
        return slashes.count == 3 ? slashes.last.map { target[$0...] } ?? [] : []
    }

    /// Adds the request ID to a response, and gives the server's own errors their form.
    func finish(_ response: inout Response, _ head: @autoclosure () -> RequestHead?) {
        let id = record?.value.id
        if response.isProblem { response.tell(context.core.problemDetails, head(), id) }
        if let id { response.name(id) }
    }
}

/// A boxed record, so that a connection without one stores only a pointer.
final class Record {
    var value: RequestRecord

    init(_ value: RequestRecord) {
        self.value = value
    }
}
