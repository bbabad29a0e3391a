// SPDX-License-Identifier: MIT

package import PortcullisHTTP
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
    package func isWanted(_ head: RequestHead?) -> Bool {
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
        // Most elements are of another type, which has to be found out without taking them apart.
        let end = bytes[range].firstIndex(of: 0x3B) ?? range.upperBound
        var type = range.lowerBound..<end
        while let last = type.last, bytes[last] == 0x20 || bytes[last] == 0x09 {
            type = type.lowerBound..<last
        }
        guard
            bytes.equalsIgnoringCase(type, "application/problem+json")
                || bytes.equalsIgnoringCase(type, "application/json")
        else { return false }
        let parts = bytes[end..<range.upperBound].split(separator: 0x3B).map { part in
            part.filter { $0 != 0x20 && $0 != 0x09 }
        }
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
