// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// The response that the client gets, made from another server's.
///
/// Pure. Content codings, validators, ranges and `Date` pass unchanged. RFC 9110 §7.6, §7.7.
struct UpstreamResponse {
    let fields: Fields
    private let dateLine: [UInt8]?
    private let rawLines: [UInt8]
    private let head: ParsedResponseHead

    /// - Parameter keepsChallenges: Whether `WWW-Authenticate` is passed on: its challenge is for the other
    ///   server, and would send clients of this one to nowhere.
    init(_ head: ParsedResponseHead, keepsChallenges: Bool = false) {
        self.head = head
        var fields = Fields()
        fields.reserveCapacity(head.slots.count)
        var dateLine: [UInt8]?
        var rawLines: [UInt8] = []
        let nominations = ConnectionNominations(head.bytes, head.slots)
        for slot in head.slots {
            let name = FoldedName(head.bytes, slot.nameRange)
            if name.isHopByHop || nominations.contains(name) || slot.known == .contentLength { continue }
            if name.equals("dpop-nonce") { continue }
            if name.equals("www-authenticate"), !keepsChallenges { continue }
            // RFC 9110 §5.5: checked again, whatever the parser has seen.
            guard head.bytes.isFieldValue(slot.valueRange) else { continue }
            if slot.known == .date {
                if dateLine == nil { dateLine = Self.line(head, slot) }
                continue
            }
            guard !head.bytes.hasBlankEnds(slot.valueRange), head.bytes.isToken(slot.nameRange),
                let value = head.bytes.text(slot.valueRange), let spelling = head.bytes.text(slot.nameRange)
            else {
                rawLines.appendLine(head.bytes, slot.nameRange, slot.valueRange)
                continue
            }
            fields.append(
                Fields.Field(name: FieldName(token: spelling, known: slot.known), value: value))
        }
        self.fields = fields
        self.dateLine = dateLine
        self.rawLines = rawLines
    }

    private static func line(_ head: ParsedResponseHead, _ slot: RequestHead.FieldSlot) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(slot.nameRange.count + slot.valueRange.count + 4)
        line.appendLine(head.bytes, slot.nameRange, slot.valueRange)
        return line
    }

    /// The response with a body.
    func response(_ body: Response.Body, upgrade: [UInt8]? = nil) -> Response {
        var response = Response(status: head.status, fields: fields, body: body)
        response.relayed = RelayedHead(
            contentLength: head.declaredLength, dateLine: dateLine, rawLines: rawLines, upgradeHead: upgrade)
        return response
    }

    /// The head of a 101 that accepts a protocol, with `Connection` and `Upgrade` made anew; `nil` if the
    /// server names another one.
    ///
    /// RFC 9110 §7.8, §15.2.2.
    func upgradeHead(_ offered: String) -> [UInt8]? {
        let named = head.slots.filter { $0.known == .upgrade }
        guard named.count == 1,
            String(decoding: head.bytes[named[0].valueRange], as: UTF8.self).lowercased() == offered
        else { return nil }
        var output: [UInt8] = []
        output.append("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ")
        output += offered.utf8
        output.append("\r\n")
        for field in fields {
            output += field.name.spelling.utf8
            output.append(": ")
            output += field.value.utf8
            output.append("\r\n")
        }
        output.append("\r\n")
        return output
    }
}
