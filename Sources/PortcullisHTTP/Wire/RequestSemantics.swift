// SPDX-License-Identifier: MIT

/// What a request head means for the connection that it came on, decided once.
///
/// Refuses whatever two programs might read differently. The order of refusals: target form, `Host`, framing,
/// declared length, expectation.
///
/// RFC 9112 §3.2, §6.3, §9.3, RFC 9110 §10.1.1.
package struct RequestSemantics: Sendable, Hashable {
    /// How the body is delimited: never ``BodyFraming/untilClose``.
    package let framing: BodyFraming
    /// Whether the client lets the connection live on.
    ///
    /// RFC 9112 §9.3.
    package let keepAlive: Bool
    /// Whether the client waits for 100 (Continue) before a body that is to come.
    ///
    /// RFC 9110 §10.1.1.
    package let expectsContinue: Bool
    /// The form of the target.
    package let form: TargetForm
    /// Where the path stands in the head's bytes; empty for the authority and asterisk forms, and where an
    /// absolute target has none.
    package let pathRange: Range<Int>
    /// Where the query stands, behind its `?`; nothing if there is no `?`.
    package let queryRange: Range<Int>?
    /// Where the host, perhaps with a port, stands: in an absolute target, otherwise in `Host`.
    ///
    /// Nothing only in HTTP/1.0. RFC 9112 §3.2.2.
    package let hostRange: Range<Int>?
    /// The port of that host, if one is written.
    package let port: UInt16?

    /// Decides.
    ///
    /// - Parameter maxBodyByteCount: A declared length beyond it is refused; nothing leaves that to the
    ///   caller.
    package init(_ head: RequestHead, maxBodyByteCount: Int? = nil) throws(MalformedMessage) {
        let target = try RequestTarget(head)
        let found = Found(head)
        let host = try Self.host(head, target, found)
        form = target.form
        pathRange = target.path
        queryRange = target.query
        hostRange = host.range
        port = host.port
        framing = try Self.framing(head, found)
        keepAlive = found.connection.persists(version: head.version)
        if let maxBodyByteCount, case .length(let length) = framing, length > maxBodyByteCount {
            throw .bodyTooLarge
        }
        let isExpecting = try Self.expectsContinue(head, found)
        expectsContinue = isExpecting && framing != .none && framing != .length(0)
    }

    /// What one walk over the slots finds.
    private struct Found {
        var host: Range<Int>?
        var hostCount = 0
        var hasFraming = false
        var hasExpectation = false
        var connection = ConnectionOptions()

        init(_ head: RequestHead) {
            for slot in head.slots {
                switch slot.known {
                case .host:
                    host = slot.valueRange
                    hostCount += 1
                case .contentLength, .transferEncoding: hasFraming = true
                case .connection: connection.add(head.bytes, slot.valueRange)
                case .expect: hasExpectation = true
                default: break
                }
            }
        }
    }

    private static func host(
        _ head: RequestHead, _ target: RequestTarget, _ found: Found
    ) throws(MalformedMessage) -> (range: Range<Int>?, port: UInt16?) {
        // RFC 9112 §3.2: none in HTTP/1.1, more than one, or an invalid one is 400.
        guard found.hostCount == 1 || (found.hostCount == 0 && head.version == .http1_0) else {
            throw .invalidHost
        }
        var field: Authority?
        if let range = found.host {
            guard let authority = Authority(head.bytes, range) else { throw .invalidHost }
            field = authority
        }
        // RFC 9112 §3.2.2: the authority of an absolute target wins over `Host`.
        if let range = target.authority { return (range, Authority(head.bytes, range)?.port) }
        return (found.host, field?.port)
    }

    private static func framing(_ head: RequestHead, _ found: Found) throws(MalformedMessage) -> BodyFraming {
        guard found.hasFraming else { return .none }
        var fields = FramingFields()
        for slot in head.slots {
            if slot.known == .transferEncoding {
                try fields.addCodings(head.bytes, slot.valueRange)
            } else if slot.known == .contentLength {
                try fields.addLength(head.bytes, slot.valueRange)
            }
        }
        // RFC 9112 §6.3 ¶7: a request without framing fields has no body.
        return try fields.resolve(version: head.version) ?? .none
    }

    private static func expectsContinue(_ head: RequestHead, _ found: Found) throws(MalformedMessage) -> Bool
    {
        guard found.hasExpectation else { return false }
        for slot in head.slots where slot.known == .expect {
            for element in ListElements(in: head.bytes, slot.valueRange) {
                guard head.bytes.equalsIgnoringCase(element, "100-continue") else {
                    throw .unsupportedExpectation
                }
            }
        }
        // RFC 9110 §10.1.1: ignored in HTTP/1.0.
        return head.version == .http1_1
    }
}
