// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import PortcullisTransport
import Synchronization

/// The events of a resource, described.
private final class Events: Sendable {
    private let all = Mutex<[String]>([])

    func add(_ event: ResourceEvent) { all.withLock { $0.append("\(event)") } }

    var last: [String] { all.withLock { $0.suffix(1) } }
}

extension Outage {
    private static let name = "https://as.example.com"
    private static let jwks = name + "/jwks"
    private static let issuer = TestIssuer(name)

    /// The last event of a resource that gets a token of the issuer.
    private static func event(
        _ fetcher: any Fetcher, _ trusted: TrustedIssuer, token: String? = nil
    ) async throws -> [String] {
        let events = Events()
        var configuration = ProtectedResource.Configuration(
            ProtectedResourceMetadata(resource: "https://api.example.com/notes"), trusting: [trusted],
            fetcher: fetcher)
        configuration.onEvent = { events.add($0) }
        let resource = try ProtectedResource(validating: configuration)
        let bearer = token ?? issuer.mint(audience: "https://api.example.com/notes")
        _ = try? await resource.authorize(.get("/notes", bearer: bearer))
        return events.last
    }

    private static func keys(_ name: String, _ answer: @escaping ScriptedFetcher.Script) -> Outage {
        Outage(name) {
            let fetcher = ScriptedFetcher()
            fetcher.on(jwks, answer)
            return try await event(fetcher, .jwt(issuer: Self.name, keys: .remote(jwks)))
        }
    }

    private static func keys(
        _ name: String, status: Status = .ok, _ fields: Fields = [.contentType: "application/json"],
        body: String = ""
    ) -> Outage {
        keys(name) { _ in FetchResponse(status: status, fields: fields, body: Array(body.utf8)) }
    }

    private static func failing(_ name: String, _ error: HTTPClientError) -> Outage {
        keys(name) { (_) throws(FetchError) in throw .failed(error) }
    }

    // DNS, connections, TLS, proxies.

    static let fetches: [Outage] = [
        Outage("fetch: the name is not found") {
            let resolver = Resolver { _, _ in .failure(SocketError(call: .resolve, code: -2)) }
            let client = HTTPClient(configuration: .init(), loops: nil, resolver: resolver)
            return try await event(HTTPClientFetcher(client), .jwt(issuer: name, keys: .remote(jwks)))
        },
        Outage("fetch: the connection is refused") {
            var trusted = TrustedIssuer.jwt(
                issuer: "http://127.0.0.1:1", keys: .remote("http://127.0.0.1:1/jwks"))
            trusted.allowsInsecureLoopback = true
            let token = TestIssuer("http://127.0.0.1:1").mint(audience: "https://api.example.com/notes")
            return try await event(HTTPClientFetcher(), trusted, token: token)
        },
        failing("fetch: the name server does not answer", .resolveFailed(-3)),
        failing("fetch: no route", .connectFailed(113)),
        failing("fetch: connecting takes too long", .timeout(.connecting)),
        failing("fetch: TLS takes too long", .timeout(.handshaking)),
        failing("fetch: the answer takes too long", .timeout(.answering)),
        failing("fetch: the certificate has expired", .tls(.certificateRefused(.expired))),
        failing("fetch: the authority is unknown", .tls(.certificateRefused(.unknownIssuer))),
        failing("fetch: the certificate signs itself", .tls(.certificateRefused(.selfSigned))),
        failing("fetch: the certificate is for another name", .tls(.certificateRefused(.wrongName))),
        failing("fetch: no TLS at the port", .tls(.protocolFailure(267))),
        failing("fetch: TLS 1.1 only", .tls(.versionRefused)),
        failing("fetch: a client certificate is wanted", .tls(.alert(116))),
        failing("fetch: the connection is closed", .closed),
        failing("fetch: a private address", .forbiddenAddress),
        failing("fetch: the proxy is down", .proxy(.connectFailed(111))),
        failing("fetch: the proxy wants credentials", .proxy(.status(407))),
        failing("fetch: the proxy refuses", .proxy(.status(403))),
        failing("fetch: a header that is too large", .malformedResponse(.headerBlockTooLarge)),
        failing("fetch: an answer that is too large", .responseTooLarge),
    ]

    // Status, fields, JSON.

    private static func discovery(_ name: String, _ documents: [String: JSONValue]) -> Outage {
        Outage(name) {
            let fetcher = ScriptedFetcher()
            for path in ["oauth-authorization-server", "openid-configuration"] {
                let url = "\(Self.name)/.well-known/\(path)"
                if let json = documents[path] {
                    fetcher.on(url, json: json)
                } else {
                    fetcher.on(url, status: .notFound)
                }
            }
            return try await event(fetcher, .jwt(issuer: Self.name))
        }
    }

    static let documents: [Outage] = [
        keys("keys: status 404", status: .notFound), keys("keys: status 403", status: .forbidden),
        keys("keys: status 500", status: .internalServerError),
        keys(
            "keys: a redirect", status: Status(code: 302),
            [.location: "https://sso.example.com/login?state=s3cret"]),
        keys(
            "keys: a redirect with a password", status: Status(code: 302),
            [.location: "https://u:s3cret@x.example/"]),
        keys("keys: HTML", [.contentType: "text/html"], body: "<html>"),
        keys("keys: gzip", [.contentType: "application/json", "Content-Encoding": "gzip"], body: "\u{1F}"),
        keys("keys: not JSON", body: "{\"keys\": [}"), keys("keys: no member keys", body: "{}"),
        keys("keys: keys that is no list", body: "{\"keys\": {}}"),
        keys("keys: none", body: "{\"keys\": []}"),
        discovery("discovery: nothing at any location", [:]),
        discovery(
            "discovery: another issuer at the second location",
            [
                "openid-configuration": [
                    "issuer": "https://as.example.com/", "jwks_uri": "https://as.example.com/jwks",
                ]
            ]),
        discovery(
            "discovery: no issuer",
            ["oauth-authorization-server": ["jwks_uri": "https://as.example.com/jwks"]]),
        discovery(
            "discovery: keys over http",
            [
                "oauth-authorization-server": [
                    "issuer": .string(name), "jwks_uri": "http://as.example.com/jwks",
                ]
            ]),
        discovery(
            "discovery: an issuer that moves the cursor",
            ["oauth-authorization-server": ["issuer": "https://as.example.com\u{1B}[2J\n"]]),
    ]

    private static func introspection(_ name: String, _ answer: FetchResponse) -> Outage {
        Outage(name) {
            let fetcher = ScriptedFetcher()
            fetcher.on(Self.name + "/introspect") { _ in answer }
            let trusted = TrustedIssuer.introspection(
                issuer: Self.name, endpoint: Self.name + "/introspect",
                authenticatedBy: .clientSecretBasic(id: "rs", secret: "s3cret"))
            return try await event(fetcher, trusted, token: "opaque")
        }
    }

    static let introspections: [Outage] = [
        introspection("introspection: our credentials are refused", .init(status: .unauthorized)),
        introspection("introspection: status 503", .init(status: .serviceUnavailable)),
        introspection(
            "introspection: HTML",
            .init(status: .ok, fields: [.contentType: "text/html"], body: Array("<html>".utf8))),
    ]
}
