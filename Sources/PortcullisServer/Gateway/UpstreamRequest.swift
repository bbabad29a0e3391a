// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP
internal import PortcullisTransport

/// The request that another server gets, made from the request that the gate allowed.
///
/// Pure. RFC 9110 §7.6, RFC 9112 §6.
struct UpstreamRequest {
    let head: RequestHead
    /// The normalised path and the query without tokens.
    let target: [UInt8]
    let content: Content
    /// The protocol that the client offers and that is on the list; `nil` for none.
    let upgrade: String?
    private let rules: ForwardingRules
    private let forwardsToken: Bool
    private let nominations: ConnectionNominations
    private let maxForwards: Int?
    /// The folded name of the field in which proxies send client certificates.
    ///
    /// RFC 9440 §2.4.
    private let certificateField: [UInt8]?
    /// Whether a trusted proxy has sent that field.
    private let trustsCertificateField: Bool

    /// How the body is framed; never copied from the request.
    ///
    /// RFC 9112 §6.3.
    enum Content {
        case bytes([UInt8])
        case length(Int, RequestBody)
        case chunked(RequestBody)
    }

    /// - Parameter certificateFieldName: The field in which the server's proxies send client certificates,
    ///   whoever sent this request; `nil` if they send none.
    init(
        _ request: Request, _ rules: ForwardingRules, certificateFieldName: FieldName?
    ) throws(ForwardingRefusal) {
        head = request.head
        self.rules = rules
        forwardsToken = rules.forwardsToken(of: request)
        certificateField = certificateFieldName.map { FoldedName.fold($0.spelling) }
        trustsCertificateField = if case .field = request.certificateSource { true } else { false }
        nominations = ConnectionNominations(head.bytes, head.slots)
        guard !nominations.namesEndToEndField, !nominations.areTooMany else { throw .connectionOption }
        target = Self.target(request, rules)
        guard !target.prefix(while: { $0 != 0x3F }).contains(0x3B) else { throw .pathParameter }
        content = Self.content(request, rules)
        // The other protocol begins after the request: with a body, two writers would share the connection.
        if case .bytes(let bytes) = content, bytes.isEmpty {
            upgrade = Self.upgrade(head, rules)
        } else {
            upgrade = nil
        }
        maxForwards = try Self.maxForwards(head)
        try Self.checkLoop(head, rules)
    }

    /// Whether the request is answered here, because it may go no further.
    ///
    /// RFC 9110 §7.6.2.
    var endsHere: Bool { maxForwards == 0 }

    // MARK: The parts

    /// The path that was decided upon, and the query byte by byte.
    ///
    /// RFC 9112 §3.2.1.
    private static func target(_ request: Request, _ rules: ForwardingRules) -> [UInt8] {
        var target = Array(request.path.utf8)
        if !rules.strippedPrefix.isEmpty, target.starts(with: rules.strippedPrefix) {
            target.removeFirst(rules.strippedPrefix.count)
            if target.isEmpty { target = [0x2F] }
        }
        guard let query = request.query else { return target }
        let bytes = Array(query.utf8)
        guard !rules.forwardsToken(of: request), let rest = TokenParameters.removed(from: bytes[...]) else {
            return target + [0x3F] + bytes
        }
        return rest.isEmpty ? target : target + [0x3F] + rest
    }

    private static func content(_ request: Request, _ rules: ForwardingRules) -> Content {
        guard let bytes = request.body.wholeBytes else {
            return request.body.declaredLength.map { .length($0, request.body) } ?? .chunked(request.body)
        }
        // The gate has read a form only where it may contain a token.
        if rules.takesFormTokens, !rules.forwardsToken(of: request), request.head.hasFormContentType,
            let rest = TokenParameters.removed(from: bytes[...])
        {
            return .bytes(rest)
        }
        return .bytes(bytes)
    }

    /// RFC 9110 §7.8: only in HTTP/1.1, and only where `Connection` names it.
    private static func upgrade(_ head: RequestHead, _ rules: ForwardingRules) -> String? {
        guard !rules.upgrades.isEmpty, head.version == .http1_1, head.method == .get else { return nil }
        var isNominated = false
        var offered: [String] = []
        for slot in head.slots {
            if slot.known == .connection {
                isNominated =
                    isNominated
                    || ListElements(in: head.bytes, slot.valueRange).contains {
                        head.bytes.equalsIgnoringCase($0, "upgrade")
                    }
            } else if slot.known == .upgrade {
                offered += ListElements(in: head.bytes, slot.valueRange).map { head.text($0).lowercased() }
            }
        }
        return isNominated ? offered.first { rules.upgrades.contains($0) } : nil
    }

    private static let maxForwardsField: FieldName = "Max-Forwards"

    private static func maxForwards(_ head: RequestHead) throws(ForwardingRefusal) -> Int? {
        guard head.method == .options, let (range, count) = head.find(maxForwardsField) else { return nil }
        guard count == 1, (1...9).contains(range.count), head.bytes[range].allSatisfy(CharacterClass.isDigit)
        else { throw .maxForwards }
        return head.bytes[range].reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private static let via: FieldName = "Via"

    /// RFC 9110 §7.6.3: the second word of each element is its sender.
    private static func checkLoop(_ head: RequestHead, _ rules: ForwardingRules) throws(ForwardingRefusal) {
        for slot in head.slots where head.matches(slot, via) {
            for element in ListElements(in: head.bytes, slot.valueRange) {
                let words = head.bytes[element].split(whereSeparator: { $0 == 0x20 || $0 == 0x09 })
                if words.count >= 2, words[1].elementsEqual(rules.pseudonym.utf8) { throw .loop }
            }
        }
    }

    // MARK: The head

    /// The bytes of the head, and of the body if it is there as a whole.
    ///
    /// - Parameters:
    ///   - basePath: The path of the server's URL, without a slash at its end.
    ///   - authority: The server's own authority.
    ///   - assertion: The signed identity; `nil` if none is configured.
    func message(
        basePath: [UInt8], authority: String, _ request: Request, isEncrypted: Bool, assertion: String?
    ) throws(ForwardingRefusal) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(head.bytes.count + 1024)
        output.append(text: head.method.name)
        output.append(" ")
        output += basePath
        output += target
        output.append(" HTTP/1.1\r\nHost: ")
        output.append(text: host(or: authority))
        output.append("\r\n")
        try appendFields(to: &output, hasID: request.id != nil)
        output.append(head.version == .http1_1 ? "Via: 1.1 " : "Via: 1.0 ")
        output.append(text: rules.pseudonym)
        output.append("\r\n")
        if let maxForwards {
            output.append("Max-Forwards: ")
            output.append(decimal: maxForwards - 1)
            output.append("\r\n")
        }
        ForwardedFields.append(request, isEncrypted: isEncrypted, to: &output)
        if let id = request.id {
            output.append("X-Request-Id: ")
            output.append(text: id)
            output.append("\r\n")
        }
        rules.identity.append(request.token, assertion: assertion, to: &output)
        appendFraming(to: &output)
        return output
    }

    func host(or authority: String) -> String {
        switch rules.host {
        case .upstream: authority
        case .resource(let authority): authority
        }
    }

    private func appendFields(to output: inout [UInt8], hasID: Bool) throws(ForwardingRefusal) {
        for slot in head.slots {
            let name = FoldedName(head.bytes, slot.nameRange)
            guard isPassed(slot, name, hasID: hasID) else { continue }
            // RFC 9110 §5.5: checked again, whatever the parser has seen.
            guard head.bytes.isFieldValue(slot.valueRange), head.bytes.isToken(slot.nameRange) else {
                throw .field
            }
            output.appendLine(head.bytes, slot.nameRange, slot.valueRange)
        }
    }

    private func isPassed(_ slot: RequestHead.FieldSlot, _ name: FoldedName, hasID: Bool) -> Bool {
        if name.isHopByHop || nominations.contains(name) { return false }
        if name.equals("host") || name.equals("content-length") || name.equals("expect") { return false }
        if name.isForwarding { return false }
        if name.begins(with: rules.identity.foldedPrefix) { return false }
        if let certificateField, name.equals(certificateField) {
            return forwardsToken && trustsCertificateField
        }
        if name.isClientCertificate { return false }
        if name.isCredential { return forwardsToken }
        if maxForwards != nil, name.equals("max-forwards") { return false }
        return !(hasID && name.equals("x-request-id"))
    }

    private func appendFraming(to output: inout [UInt8]) {
        if let upgrade {
            output.append("Connection: upgrade\r\nUpgrade: ")
            output += upgrade.utf8
            output.append("\r\n")
        }
        switch content {
        case .bytes(let bytes):
            HeadSerializer.appendEnd(method: head.method, bodyByteCount: bytes.count, to: &output)
            output += bytes
        case .length(let length, _):
            output.append("Content-Length: ")
            output.append(decimal: length)
            output.append("\r\n\r\n")
        case .chunked:
            output.append("Transfer-Encoding: chunked\r\n\r\n")
        }
    }

    /// RFC 9110 §9.2.2: idempotent, and without a body.
    var isRepeatable: Bool {
        guard case .bytes(let bytes) = content, bytes.isEmpty, upgrade == nil else { return false }
        return [.get, .head, .options, .put, .delete].contains(head.method)
    }

    /// How the part of the body that is not in the message follows.
    var rest: StreamedRequest.Rest {
        switch content {
        case .bytes: .none
        case .length: .plain
        case .chunked: .chunked
        }
    }

    /// The body that has yet to arrive.
    var pendingBody: RequestBody? {
        switch content {
        case .bytes: nil
        case .length(_, let body), .chunked(let body): body
        }
    }
}
