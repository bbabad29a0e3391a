// SPDX-License-Identifier: MIT

/// The meaning of a request head for its connection, computed once.
///
/// Rejects a head that two programs might read differently. The order of checks: target form, `Host`,
/// framing, declared length, expectation.
///
/// RFC 9112 §3.2, §6.3, §9.3, RFC 9110 §10.1.1.
package struct RequestSemantics: Sendable, Hashable {
    /// How the body is delimited: never ``BodyFraming/untilClose``.
    package let framing: BodyFraming
    /// Whether the client allows the connection to stay open.
    ///
    /// RFC 9112 §9.3.
    package let keepAlive: Bool
    /// Whether the client waits for 100 (Continue) before it sends the body.
    ///
    /// RFC 9110 §10.1.1.
    package let expectsContinue: Bool
    /// The form of the target.
    package let form: TargetForm
    /// The range of the path in the head's bytes; empty for the authority and asterisk forms, and for an
    /// absolute target without a path.
    package let pathRange: Range<Int>
    /// The range of the query after its `?`; `nil` if there is no `?`.
    package let queryRange: Range<Int>?
    /// The range of the host and optional port: in an absolute target, otherwise in `Host`.
    ///
    /// `nil` only in HTTP/1.0. RFC 9112 §3.2.2.
    package let hostRange: Range<Int>?
    /// The port of that host, or `nil` if it is absent.
    package let port: UInt16?

    /// Whether the declared length exceeds the limit; then the expectation is not judged.
    package let isTooLarge: Bool

    /// Computes the meaning of a head.
    ///
    /// - Parameters:
    ///   - maxBodyByteCount: The largest declared length allowed; with `nil` the caller checks the length.
    ///   - refusesLargeBody: Whether a larger length is an error; otherwise it sets ``isTooLarge``.
    package init(
        _ head: RequestHead, maxBodyByteCount: Int? = nil, refusesLargeBody: Bool = true
    ) throws(MalformedMessage) {
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
            guard !refusesLargeBody else { throw .bodyTooLarge }
            isTooLarge = true
            expectsContinue = false
            return
        }
        isTooLarge = false
        let isExpecting = try Self.expectsContinue(head, found)
        expectsContinue = isExpecting && framing != .none && framing != .length(0)
    }

    /// The declared length of the body, or `nil` if there is none.
    package var declaredLength: Int? { if case .length(let length) = framing { length } else { nil } }

    /// The result of one pass over the slots.
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
        // RFC 9112 §3.2.2: the authority of an absolute target overrides `Host`.
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
