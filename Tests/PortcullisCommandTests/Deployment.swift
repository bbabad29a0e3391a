// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisCommand
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting

/// A correct deployment on a scripted network, which tests break.
struct Deployment {
    static let resource = "https://api.example.com/mcp"
    static let root = "https://api.example.com/.well-known/oauth-protected-resource"
    static let location = "\(root)/mcp"
    static let issuer = "https://as.example.com"
    static let challenge = #"Bearer resource_metadata="\#(location)", scope="mcp:read""#

    let network = ScriptedFetcher()

    init() {
        answerCalls()
        serve(Self.document())
        network.on(Self.root, status: .notFound)
        network.on("\(Self.root)/portcullis-check/no-such-resource", status: .notFound)
        serveIssuer()
        network.on(
            "\(Self.issuer)/keys", json: .object(TestIssuer(Self.issuer).keys.publicJSON))
    }

    static func document(_ members: JSONObject = [:]) -> JSONObject {
        var object: JSONObject = [
            "resource": .string(resource), "authorization_servers": [.string(issuer)],
            "scopes_supported": ["mcp:read"], "resource_name": "Example",
        ]
        for member in members.members { object[member.name] = member.value }
        return object
    }

    /// Answers calls of the resource: 401 without an issued token, and preflights.
    func answerCalls(
        _ line: String = challenge, status: Status = .unauthorized, badTokenStatus: Status = .unauthorized
    ) {
        let answer: ScriptedFetcher.Script = { request in
            if request.method == .options {
                return FetchResponse(
                    status: .noContent,
                    fields: [
                        "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "Authorization",
                    ])
            }
            let hasToken = request.fields.contains(.authorization)
            var fields: Fields = [
                .cacheControl: "no-store", "Access-Control-Allow-Origin": "*",
                "Access-Control-Expose-Headers": "WWW-Authenticate",
                "Strict-Transport-Security": "max-age=31536000",
            ]
            if !line.isEmpty {
                fields[.wwwAuthenticate] = hasToken ? line + ", error=\"invalid_token\"" : line
            }
            return FetchResponse(status: hasToken ? badTokenStatus : status, fields: fields)
        }
        network.on(Self.resource, answer)
        network.on("\(Self.resource)?access_token=portcullis-check.not-a-token", answer)
    }

    /// Serves a document at its location, with and without a trailing slash, with the required fields.
    func serve(_ document: JSONObject, at location: String = location) {
        let body = document.serialized()
        let answer: ScriptedFetcher.Script = { request in
            let cors: Fields = [
                "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*",
            ]
            switch request.method {
            case .options: return FetchResponse(status: .noContent, fields: cors)
            case .get, .head:
                let fields: Fields = [
                    .contentType: "application/json", .cacheControl: "public, max-age=300", .etag: "\"a\"",
                    "Access-Control-Allow-Origin": "*",
                ]
                return FetchResponse(status: .ok, fields: fields, body: request.method == .get ? body : [])
            default: return FetchResponse(status: .methodNotAllowed)
            }
        }
        network.on(location, answer)
        network.on(location + "/", answer)
    }

    func serveIssuer(_ members: JSONObject = [:], omitting: [String] = []) {
        var object: JSONObject = [
            "issuer": .string(Self.issuer), "authorization_endpoint": "https://as.example.com/authorize",
            "token_endpoint": "https://as.example.com/token", "jwks_uri": "https://as.example.com/keys",
            "registration_endpoint": "https://as.example.com/register",
            "code_challenge_methods_supported": ["S256"], "scopes_supported": ["mcp:read"],
            "protected_resources": [.string(Self.resource)],
            "authorization_response_iss_parameter_supported": true,
        ]
        for member in members.members { object[member.name] = member.value }
        for name in omitting { object[name] = nil }
        network.on("\(Self.issuer)/.well-known/oauth-authorization-server", json: .object(object))
    }

    func report(on url: String = resource) async -> CheckReport {
        await ResourceCheck(fetcher: network, allowsLoopback: false).report(on: url)
    }
}

extension CheckReport {
    /// The codes of the findings at one of these levels.
    func codes(_ levels: Finding.Level...) -> [String] {
        findings.filter { levels.contains($0.level) }.map(\.code)
    }
}
