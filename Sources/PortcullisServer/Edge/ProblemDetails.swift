// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisJOSE

/// When the server's own errors are told as problem details, `application/problem+json`, and not as a line of text.
///
/// The gate's refusals have a body of their own, which OAuth clients read, and handlers answer as they like.
///
/// RFC 9457 §3.
public enum ProblemDetails: String, Sendable, Hashable, CaseIterable {
    /// Where `Accept` names `application/problem+json` or `application/json`, a wildcard not counting.
    case accept
    /// In every case.
    case always
    /// In none.
    case never

    /// Whether the sender of a request gets them; of one whose head was not understood nothing is known.
    func isWanted(_ head: RequestHead?) -> Bool {
        switch self {
        case .always: true
        case .never: false
        case .accept: head.map(Self.names) ?? false
        }
    }

    private static func names(_ head: RequestHead) -> Bool {
        head.slots.contains { slot in
            head.matches(slot, .accept)
                && ListElements(in: head.bytes, slot.valueRange).contains { isJSON(head.bytes, $0) }
        }
    }

    /// Whether an element is one of the two types, and is not marked with a weight of zero.
    ///
    /// RFC 9110 §12.4.2, §12.5.1.
    private static func isJSON(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        var parts = bytes[range].split(separator: 0x3B).map { part in
            part.filter { $0 != 0x20 && $0 != 0x09 }
        }
        guard !parts.isEmpty else { return false }
        let type = parts.removeFirst()
        let all = 0..<type.count
        guard
            type.equalsIgnoringCase(all, "application/problem+json")
                || type.equalsIgnoringCase(all, "application/json")
        else { return false }
        return !parts.contains { part in
            part.count > 2 && CharacterClass.lowercase(part[0]) == 0x71 && part[1] == 0x3D
                && part.dropFirst(2).allSatisfy { $0 == 0x30 || $0 == 0x2E }
        }
    }
}

extension Response {
    /// Gives one of the server's own errors the form that its request is answered in.
    mutating func tell(_ details: ProblemDetails, _ head: RequestHead?, _ id: String?) {
        // RFC 9110 §12.5.5: another request may get another body.
        if details == .accept { fields.append("Accept", for: .vary) }
        if details.isWanted(head) { describeAsProblem(id) }
    }

    /// Replaces the text: type `about:blank`, so the title is the status's phrase.
    ///
    /// RFC 9457 §4.2.1.
    private mutating func describeAsProblem(_ id: String?) {
        var members: JSONObject = [
            "type": "about:blank", "title": .string(status.reasonPhrase),
            "status": .number(JSONNumber(status.code)),
        ]
        members["request_id"] = id.map(JSONValue.string)
        body = .bytes(members.serialized())
        fields[.contentType] = "application/problem+json"
    }
}
