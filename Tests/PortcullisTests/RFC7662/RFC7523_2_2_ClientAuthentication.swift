// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 7523 §2.2, RFC 8705 §2 How the resource authenticates")
struct RFC7523_2_2_ClientAuthentication {
    static let name = "https://as.example.com"
    static let endpoint = RFC7662_2_Introspection.endpoint
    static let well = name + "/.well-known/oauth-authorization-server"

    let clock = ManualClock()
    let fetcher = ScriptedFetcher()
    let events = EventLog()

    private func resource(_ authentication: ClientAuthentication, discovering: Bool = false)
        -> ProtectedResource
    {
        fetcher.on(Self.endpoint, json: .object(RFC7662_2_Introspection.active))
        var issuer = TrustedIssuer.introspection(
            issuer: Self.name, endpoint: discovering ? nil : Self.endpoint, authenticatedBy: authentication)
        issuer.introspection?.fetcher = fetcher
        return RFC7662_2_Introspection.resource(
            fetcher: fetcher, clock: clock, events: events, issuer: issuer)
    }

    private func form(_ request: FetchRequest?) -> [String: String] {
        var form: [String: String] = [:]
        for pair in String(decoding: request?.body ?? [], as: UTF8.self).split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            form[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
        return form
    }

    @Test(arguments: [SignatureAlgorithm.es256, .rs256, .ps384, .ed25519])
    func `§3: the assertion names the client and the issuer, and is valid for a minute`(
        algorithm: SignatureAlgorithm
    ) async throws {
        let key = try PrivateJWK.generate(algorithm, keyID: "rs-1")
        let resource = resource(.privateKeyJWT(id: "rs:api", key: key))
        #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil)
        let request = try #require(fetcher.requests.first)
        #expect(request.fields[.authorization] == nil)
        let form = form(request)
        #expect(form["client_id"] == "rs%3Aapi")
        #expect(
            form["client_assertion_type"]
                == "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer")
        #expect(form["client_secret"] == nil)
        let jws = try CompactJWS(Array(try #require(form["client_assertion"]).utf8))
        #expect(jws.header.algorithm == algorithm && jws.header.keyID == "rs-1")
        #expect(jws.header.type == "client-authentication+jwt")
        try jws.verify(with: key.publicKey, algorithm: algorithm)
        let claims = try ClaimsSet(payload: jws.payload)
        #expect(try claims.string("iss") == "rs:api" && claims.string("sub") == "rs:api")
        #expect(try claims.stringOrStrings("aud") == [Self.name])
        #expect(try claims.numericDate("iat") == clock.now)
        #expect(try claims.numericDate("exp") == clock.now.adding(.seconds(60)))
    }

    @Test func `§3: no assertion is used twice`() async throws {
        let key = try PrivateJWK.generate(.es256)
        let resource = resource(.privateKeyJWT(id: "rs", key: key, audience: Self.endpoint))
        for token in ["a", "b"] {
            #expect(await resource.refusal(of: .get("/mcp", bearer: token)) == nil)
        }
        let identifiers = try fetcher.requests.map { request in
            let jws = try CompactJWS(Array(try #require(form(request)["client_assertion"]).utf8))
            let claims = try ClaimsSet(payload: jws.payload)
            #expect(try claims.stringOrStrings("aud") == [Self.endpoint])
            return try claims.string("jti")
        }
        #expect(Set(identifiers).count == 2 && !identifiers.contains(nil))
    }

    @Test(arguments: ClientAuthentication.AssertionType.allCases)
    func `draft-ietf-oauth-rfc7523bis §4: an old server gets the type that it knows`(
        type: ClientAuthentication.AssertionType
    ) async throws {
        let key = try PrivateJWK.generate(.es256)
        let resource = resource(.privateKeyJWT(id: "rs", key: key, type: type))
        #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil)
        let jws = try CompactJWS(Array(try #require(form(fetcher.requests.first)["client_assertion"]).utf8))
        #expect(jws.header.type == (type == .none ? nil : type.rawValue))
        // An assertion is no access token. RFC 8725 §3.12.
        let assertion = try #require(form(fetcher.requests.first)["client_assertion"])
        expectRefused(await Scene().refusal(of: assertion), .unsupportedTokenType)
    }

    @Test func `draft-ietf-oauth-rfc7523bis §4: another audience than the issuer is warned about`() throws {
        let key = try PrivateJWK.generate(.es256)
        let count = { (audience: String?) in
            resource(.privateKeyJWT(id: "rs", key: key, audience: audience)).warnings.count
        }
        #expect(count(nil) == 0 && count(Self.name) == 0)
        #expect(count(Self.endpoint) == 1 && count(Self.name + "/") == 1)
    }

    @Test func `RFC 7523 §3.2: a refused assertion is sent once, and the event names what may be wrong`()
        async throws
    {
        let key = try PrivateJWK.generate(.es256)
        let resource = resource(.privateKeyJWT(id: "rs", key: key))
        fetcher.on(Self.endpoint) { _ in FetchResponse(status: .unauthorized) }
        expectRefused(await resource.refusal(of: .get("/mcp", bearer: "a")), .introspectionUnavailable)
        #expect(fetcher.count(of: Self.endpoint) == 1)
        let event = try #require(events.all.first)
        let fault = AuthorizationServerFault.calling(url: Self.endpoint, .rejectedAssertion)
        #expect(event == .introspectionFailed(issuer: Self.name, fault: fault))
        #expect("\(event)".contains("assertion_audience") && "\(event)".contains("assertion_type"))
    }

    @Test(
        arguments: [
            (["PS256"], SignatureAlgorithm.ps256, false), (["ES256"], .rs256, true), (nil, .rs256, false),
        ]
            as [([String]?, SignatureAlgorithm, Bool)])
    func `RFC 8414 §2: a key without alg signs with an algorithm that the server lists`(
        listed: [String]?, used: SignatureAlgorithm, isReported: Bool
    ) async throws {
        var json = try PrivateJWK.generate(.rs256).jsonIncludingPrivateMembers
        json["alg"] = nil
        var document: JSONObject = [
            "issuer": .string(Self.name), "introspection_endpoint": .string(Self.endpoint),
        ]
        document["introspection_endpoint_auth_signing_alg_values_supported"] = listed.map {
            .array($0.map(JSONValue.string))
        }
        fetcher.on(Self.well, json: .object(document))
        let resource = resource(.privateKeyJWT(id: "rs", key: try PrivateJWK(json)), discovering: true)
        #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil)
        let call = fetcher.requests.first { form($0)["client_assertion"] != nil }
        let jws = try CompactJWS(Array(try #require(form(call)["client_assertion"]).utf8))
        #expect(jws.header.algorithm == used)
        #expect(events.all.contains(.assertionAlgorithmNotListed(issuer: Self.name)) == isReported)
    }

    @Test func `RFC 7517 §4.2: an encryption key signs no assertion`() throws {
        var json = try PrivateJWK.generate(.es256).jsonIncludingPrivateMembers
        json["use"] = "enc"
        let key = try PrivateJWK(json)
        let found = problems { () throws(ConfigurationError) in
            _ = try ProtectedResource(
                validating: .init(
                    ProtectedResourceMetadata(resource: "https://api.example.com/mcp"),
                    trusting: [
                        .introspection(
                            issuer: Self.name, endpoint: Self.endpoint,
                            authenticatedBy: .privateKeyJWT(id: "rs", key: key))
                    ]))
        }
        #expect(found.map(\.path) == ["issuers[0].introspection.authentication"])
    }

    @Test func `RFC 8705 §2: with a certificate the body has only the client ID`() async {
        let resource = resource(.tlsClientAuth(id: "rs api"))
        #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil)
        #expect(
            form(fetcher.requests.first) == [
                "token": "a", "token_type_hint": "access_token", "client_id": "rs+api",
            ])
        #expect(fetcher.requests.first?.fields[.authorization] == nil)
    }

    @Test func `RFC 8705 §2: without a fetcher that presents the certificate it is refused at the start`() {
        let found = problems { () throws(ConfigurationError) in
            _ = try ProtectedResource(
                validating: .init(
                    ProtectedResourceMetadata(resource: "https://api.example.com/mcp"),
                    trusting: [
                        .introspection(
                            issuer: Self.name, endpoint: Self.endpoint,
                            authenticatedBy: .tlsClientAuth(id: "rs"))
                    ]))
        }
        #expect(found.map(\.path) == ["issuers[0].introspection.fetcher"])
    }

    @Test(arguments: [true, false])
    func `RFC 8705 §5: only clients with a certificate use the mTLS endpoint`(usesCertificate: Bool) async {
        let special = "https://mtls.as.example.com/introspect"
        fetcher.on(special, json: .object(RFC7662_2_Introspection.active))
        fetcher.on(
            Self.well,
            json: [
                "issuer": .string(Self.name), "introspection_endpoint": .string(Self.endpoint),
                "mtls_endpoint_aliases": ["introspection_endpoint": .string(special)],
            ])
        let resource = resource(
            usesCertificate ? .tlsClientAuth(id: "rs") : .clientSecretBasic(id: "rs", secret: "s"),
            discovering: true)
        #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil)
        #expect(fetcher.count(of: special) == (usesCertificate ? 1 : 0))
        #expect(fetcher.count(of: Self.endpoint) == (usesCertificate ? 0 : 1))
    }

    @Test(
        arguments: [
            (["private_key_jwt"], true), ([], true), (["client_secret_post", "client_secret_basic"], false),
            (nil, false),
        ] as [([String]?, Bool)])
    func `RFC 8414 §2: a method that the server does not list is reported`(
        listed: [String]?, isWarned: Bool
    ) async {
        var document: JSONObject = [
            "issuer": .string(Self.name), "introspection_endpoint": .string(Self.endpoint),
        ]
        document["introspection_endpoint_auth_methods_supported"] = listed.map {
            .array($0.map(JSONValue.string))
        }
        fetcher.on(Self.well, json: .object(document))
        let resource = resource(.clientSecretBasic(id: "rs", secret: "s"), discovering: true)
        #expect(await resource.refusal(of: .get("/mcp", bearer: "a")) == nil)
        #expect(events.all.contains(.authenticationMethodNotListed(issuer: Self.name)) == isWarned)
    }
}
