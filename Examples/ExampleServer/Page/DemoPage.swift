// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer

/// The page of the demo: the chain from a call without a token to a DPoP-bound call, one step at a time.
///
/// A script can neither read nor write the bytes of HTTP messages. So the page asks this server to send the
/// bytes of each request, which it shows, to the two servers of the demo, and shows the bytes of the answer.
struct DemoPage: Sendable {
    /// Where the two servers accept connections.
    struct Places: Sendable {
        let host: String
        let port: Int
        let issuerHost: String
        let issuerPort: Int
    }

    let origin: String
    let issuer: String
    let places: Places
    /// Copies of the resources that explain requests, with tables of their own: a proof that one of them has
    /// seen can still be used.
    let explaining: [Explained]

    /// A resource, and what its requests need.
    struct Explained: Sendable {
        let resource: ProtectedResource
        let requirement: @Sendable (Method) -> AccessRequirement
    }

    private static let maxRequestByteCount = 32_768

    private static let policy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ].joined(separator: "; ")

    /// Adds the page and what it needs, without a token.
    func declare(on routes: inout Routes) {
        routes.get("/") { request in
            guard request.fields[.accept]?.contains("text/html") == true else {
                var answer = Response.text(
                    "This page is public. The photos and the notes are not. A browser shows how to get in.\n")
                answer.fields["Vary"] = "Accept"
                return answer
            }
            return Self.asset(PageMarkup.text(origin: origin, issuer: issuer), "text/html")
        }
        routes.get("/demo.css") { _ in Self.asset(PageStyle.text, "text/css") }
        routes.get("/demo.js") { _ in Self.asset(PageScript.text, "text/javascript") }
        routes.post("/demo/exchange") { request in try await exchange(request) }
    }

    private static func asset(_ text: String, _ type: String) -> Response {
        var answer = Response.bytes(Array(text.utf8), contentType: type + "; charset=utf-8")
        answer.fields["Content-Security-Policy"] = policy
        answer.fields["X-Content-Type-Options"] = "nosniff"
        answer.fields["Referrer-Policy"] = "no-referrer"
        answer.fields[.cacheControl] = "no-store"
        answer.fields["Vary"] = "Accept"
        return answer
    }

    /// Sends the bytes of a request to one of the two servers, for the page alone.
    private func exchange(_ request: Request) async throws -> Response {
        // Fetch Standard, "append a request Origin header": no page of another site can leave it out.
        let origins = [origin, "http://localhost:\(places.port)"]
        guard let caller = request.fields["Origin"], origins.contains(caller) else {
            return .text("Open the demo's page at \(origin)/.\n", status: .forbidden)
        }
        let body = try await request.body.collect(upTo: Self.maxRequestByteCount)
        guard let json = try? JSONValue.parse(body).object, let text = json["request"]?.string else {
            return .text("The request is missing.\n", status: .badRequest)
        }
        let isForIssuer = json["to"]?.string == "issuer"
        var answer: JSONObject = [:]
        if !isForIssuer { answer["trace"] = await trace(of: text) }
        let bytes = await WireExchange.perform(
            Array(text.utf8), host: isForIssuer ? places.issuerHost : places.host,
            port: isForIssuer ? places.issuerPort : places.port)
        answer["response"] = .string(String(decoding: bytes, as: UTF8.self))
        return .json(.object(answer))
    }

    /// The steps of a request's admission, or `nil` if no resource is concerned.
    private func trace(of text: String) async -> JSONValue? {
        guard let head = Self.head(text), let path = head.target.split(separator: "?").first,
            let explained = explaining.first(where: {
                let own = $0.resource.identifier.url.path
                return path == own || path.hasPrefix(own + "/")
            })
        else { return nil }
        let explanation = await explained.resource.explain(
            head, requiring: explained.requirement(head.method))
        return .array(
            explanation.steps.map { step in
                let members: [(String, String?)] = [
                    ("name", step.name), ("clause", step.clause), ("outcome", step.outcome.rawValue),
                    ("expected", step.expected), ("got", step.got),
                ]
                var object: JSONObject = [:]
                for (name, value) in members { object[name] = value.map(JSONValue.string) }
                return .object(object)
            })
    }

    /// The head of a request that the page has written.
    private static func head(_ text: String) -> RequestHead? {
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false).prefix { !$0.isEmpty }
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count == 3, let method = Method(String(words[0])) else { return nil }
        let fields = lines.dropFirst().compactMap { line -> (String, String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (String(line[..<colon]), String(line[line.index(after: colon)...].drop { $0 == " " }))
        }
        return try? RequestHead(method: method, target: String(words[1]), fields: fields)
    }
}
