// SPDX-License-Identifier: MIT

package import PortcullisHTTP

extension MetadataDocument {
    /// Returns the answer to a request for this document, which needs no token.
    ///
    /// For `HEAD` the body is that of `GET`, so that its length is known; it must not be sent.
    ///
    /// RFC 9728 §3.1, §3.2, RFC 9110 §9.3.2.
    package func response(to head: RequestHead) -> (head: ResponseHead, body: [UInt8]) {
        switch head.method {
        case .get, .head: document(for: head)
        case .options: (Self.preflight(for: head), [])
        default: (Self.methodNotAllowed, [])
        }
    }

    /// The answer for a well-known path without a document: never another resource's, never a redirect.
    package static var notFound: ResponseHead {
        ResponseHead(status: .notFound, fields: [anyOrigin: "*"])
    }

    private func document(for head: RequestHead) -> (head: ResponseHead, body: [UInt8]) {
        if head.find(.ifNoneMatch) != nil,
            EntityTag.matches(etag, anyOf: head.fields.values(of: .ifNoneMatch))
        {
            return (ResponseHead(status: .notModified, fields: unchangedFields), [])
        }
        return (ResponseHead(status: .ok, fields: fields), body)
    }

    /// Replaces the body of an answer to `HEAD` by its length.
    ///
    /// RFC 9110 §9.3.2.
    static func withoutBody(
        _ answer: (head: ResponseHead, body: [UInt8]), to head: RequestHead
    ) -> (head: ResponseHead, body: [UInt8]) {
        guard head.method == .head, !answer.body.isEmpty else { return answer }
        var answer = answer
        answer.head.fields[.contentLength] = String(answer.body.count)
        answer.body = []
        return answer
    }

    private static let methods = "GET, HEAD, OPTIONS"

    // RFC 9110 §15.5.6.
    private static var methodNotAllowed: ResponseHead {
        ResponseHead(status: .methodNotAllowed, fields: [.allow: methods, anyOrigin: "*"])
    }

    private static func preflight(for head: RequestHead) -> ResponseHead {
        let requested = head.fields.values(of: "Access-Control-Request-Headers").joined(separator: ", ")
        return ResponseHead(
            status: .noContent,
            fields: [
                anyOrigin: "*",
                "Access-Control-Allow-Methods": methods,
                "Access-Control-Allow-Headers": isNameList(requested) ? requested : "*",
                .vary: "Access-Control-Request-Headers",
            ])
    }

    /// The maximum length of a list of field names that is reflected to the client, in bytes.
    private static let maximumReflectedByteCount = 1024

    private static func isNameList(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= maximumReflectedByteCount else { return false }
        return text.utf8.split(separator: 0x2C, omittingEmptySubsequences: false).allSatisfy { part in
            let name = part.drop { $0 == 0x20 }
            return !name.isEmpty && name.allSatisfy(CharacterClass.isTokenCharacter)
        }
    }
}

/// The comparison of entity tags in `If-None-Match`.
///
/// RFC 9110 §8.8.3, §13.1.2.
private enum EntityTag {
    /// Whether the tag is listed, or `*` is.
    ///
    /// A malformed list matches nothing.
    static func matches(_ etag: String, anyOf values: [String]) -> Bool {
        values.contains { value in
            value.utf8.elementsEqual("*".utf8) || list(value).contains { $0.elementsEqual(etag.utf8) }
        }
    }

    // The weak comparison ignores the prefix W/.
    private static func list(_ value: String) -> [Substring.UTF8View] {
        var tags: [Substring.UTF8View] = []
        var rest = value.utf8[...]
        while true {
            rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x2C }
            if rest.isEmpty { return tags }
            if rest.starts(with: "W/".utf8) { rest = rest.dropFirst(2) }
            guard rest.first == 0x22, let end = rest.dropFirst().firstIndex(of: 0x22) else { return [] }
            let next = rest.index(after: end)
            tags.append(rest[..<next])
            rest = rest[next...]
            guard rest.isEmpty || [0x20, 0x09, 0x2C].contains(rest[rest.startIndex]) else { return [] }
        }
    }
}
