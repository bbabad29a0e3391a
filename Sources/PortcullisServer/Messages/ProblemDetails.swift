// SPDX-License-Identifier: MIT

package import PortcullisHTTP
internal import PortcullisJOSE

/// When the server's own errors are sent as problem details, `application/problem+json`, instead of text.
///
/// Does not apply to the gate's refusals, which have an OAuth error body, or to responses of handlers.
///
/// RFC 9457 §3.
public enum ProblemDetails: String, Sendable, Hashable, CaseIterable {
    /// If `Accept` names `application/problem+json` or `application/json`; wildcards do not count.
    case accept
    /// Always.
    case always
    /// Never.
    case never

    /// Whether to send problem details for a request; `nil` stands for a malformed head.
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

    /// Whether an element is one of the two types, with a weight other than zero.
    ///
    /// RFC 9110 §12.4.2, §12.5.1.
    private static func isJSON(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        // Most elements have another type, which this check finds without parsing parameters.
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
    /// Gives one of the server's own errors the form of ``ProblemDetails/accept``.
    package mutating func completeProblem(for head: RequestHead) {
        if isProblem { tell(.accept, head, nil) }
    }

    /// Sends one of the server's own errors as problem details if the request accepts them.
    mutating func tell(_ details: ProblemDetails, _ head: RequestHead?, _ id: String?) {
        // RFC 9110 §12.5.5: a request with another Accept may get another body.
        if details == .accept { fields.append("Accept", for: .vary) }
        if details.isWanted(head) { describeAsProblem(id) }
    }

    /// Replaces the text body; with type `about:blank` the title is the reason phrase.
    ///
    /// RFC 9457 §4.2.1.
    private mutating func describeAsProblem(_ id: String?) {
        var members: JSONObject = [
            "type": "about:blank", "title": .string(status.reasonPhrase),
            "status": .number(JSONNumber(status.code)),
        ]
        members["detail"] = problemDetail.map(JSONValue.string)
        members["request_id"] = id.map(JSONValue.string)
        body = .bytes(members.serialized())
        fields[.contentType] = "application/problem+json"
    }
}
