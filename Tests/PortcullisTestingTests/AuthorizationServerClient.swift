// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Synchronization
import Testing

/// Calls a test authorization server as a client does, without a socket, with its own clock.
final class AuthorizationServerClient: Sendable {
    let server: TestAuthorizationServer
    private let clock: Clock

    init(_ change: (inout TestAuthorizationServer.Configuration) -> Void = { _ in }) throws {
        var configuration = TestAuthorizationServer.Configuration(issuer: "https://as.example.com")
        change(&configuration)
        let clock = Clock()
        self.clock = clock
        server = try TestAuthorizationServer(configuration) { clock.now }
    }

    private final class Clock: Sendable {
        let seconds = Mutex(1_790_000_000)
        var now: NumericDate { NumericDate(seconds.withLock { $0 }) }
    }

    func advance(seconds: Int) {
        clock.seconds.withLock { $0 += seconds }
    }

    func get(_ target: String) -> TestAuthorizationServer.Answer {
        server.handle(method: "GET", target: target)
    }

    func post(
        _ path: String, _ form: String, basic: (id: String, secret: String)? = nil
    ) -> TestAuthorizationServer.Answer {
        let fields = basic.map { [(name: "Authorization", value: Self.basic($0.id, $0.secret))] } ?? []
        return server.handle(method: "POST", target: path, fields: fields, body: Array(form.utf8))
    }

    static func basic(_ id: String, _ secret: String) -> String {
        "Basic " + Base64.encode(Array("\(id):\(secret)".utf8))
    }

    func register(_ json: JSONValue) -> TestAuthorizationServer.Answer {
        server.handle(method: "POST", target: "/register", body: json.serialized())
    }

    /// A client that may use both grants.
    func makeClient() throws -> (id: String, secret: String) {
        let answer = try register([
            "grant_types": ["authorization_code", "client_credentials"],
            "redirect_uris": ["https://app.example.com/callback", "http://127.0.0.1:1234/done"],
        ]).object
        return (try #require(answer["client_id"]?.string), try #require(answer["client_secret"]?.string))
    }

    static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    /// RFC 7636 appendix B.
    static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    static func authorizationQuery(_ id: String, more: String = "") -> String {
        "response_type=code&client_id=\(id)&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback&state=a%26b"
            + "&code_challenge=\(challenge)&code_challenge_method=S256\(more)"
    }

    /// Confirms the consent page and returns the code.
    func code(_ id: String, more: String = "") throws -> String {
        let answer = post("/authorize", Self.authorizationQuery(id, more: more) + "&decision=allow")
        let location = try #require(answer.fields[.location])
        let code = try #require(location.split(separator: "code=").last)
        return String(code.prefix { $0 != "&" })
    }
}

extension TestAuthorizationServer.Answer {
    var object: JSONObject {
        get throws {
            let json = try JSONValue.parse(body)
            return try #require(json.object)
        }
    }

    var error: String? {
        get throws { try object["error"]?.string }
    }

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// The claims of a JWT, unverified.
func claims(of token: String) throws -> JSONObject {
    let payload = try #require(token.split(separator: ".").dropFirst().first)
    let bytes = try #require(Base64URL.decode(String(payload)))
    let json = try JSONValue.parse(bytes)
    return try #require(json.object)
}
