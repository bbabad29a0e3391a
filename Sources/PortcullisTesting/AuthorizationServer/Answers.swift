// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

extension TestAuthorizationServer.Answer {
    static func plain(_ status: Status, _ text: String = "") -> Self {
        guard !text.isEmpty else { return Self(status: status) }
        return Self(
            status: status, fields: [.contentType: "text/plain; charset=utf-8"], body: Array(text.utf8))
    }

    /// RFC 6749 §5.1: responses that may contain tokens or credentials are not cached.
    static func json(_ status: Status, _ object: JSONObject) -> Self {
        Self(
            status: status,
            fields: [
                .contentType: "application/json", .cacheControl: "no-store",
                "Access-Control-Allow-Origin": "*",
            ],
            body: object.serialized())
    }

    /// RFC 6749 §5.2, RFC 7591 §3.2.2.
    static func error(_ code: String, _ description: String) -> Self {
        .json(.badRequest, ["error": .string(code), "error_description": .string(description)])
    }

    /// RFC 6749 §5.2.
    static let invalidClient = {
        var answer = error("invalid_client", "the client is unknown or its secret is wrong")
        answer.status = .unauthorized
        answer.fields[.wwwAuthenticate] = "Basic realm=\"authorization server\""
        return answer
    }()

    /// A page with one style sheet, which the policy names by its hash.
    static func html(_ status: Status, _ page: String, style: String) -> Self {
        let hash = Base64.encode(Digest.sha256(Array(style.utf8)).bytes)
        return Self(
            status: status,
            fields: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                "Content-Security-Policy":
                    "default-src 'none'; style-src 'sha256-\(hash)'; frame-ancestors 'none'",
            ],
            body: Array(page.utf8))
    }

    static func redirect(to uri: String) -> Self {
        Self(status: .seeOther, fields: [.location: uri, .cacheControl: "no-store"])
    }

    static func preflight(_ methods: [String]) -> Self {
        Self(
            status: .noContent,
            fields: [
                "Access-Control-Allow-Origin": "*",
                "Access-Control-Allow-Methods": methods.joined(separator: ", "),
                "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP, MCP-Protocol-Version",
            ])
    }
}
