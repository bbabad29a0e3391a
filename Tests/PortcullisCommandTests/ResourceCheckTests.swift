// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisCommand
import PortcullisDiscovery
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("The findings of a check of a deployment")
struct ResourceCheckTests {
    let world = Deployment()

    /// The findings at these levels, after the test has changed the deployment.
    func codes(_ levels: Finding.Level...) async -> [String] {
        let report = await world.report()
        return report.findings.filter { levels.contains($0.level) }.map(\.code)
    }

    @Test func `a correct deployment passes with the full score`() async {
        let report = await world.report()
        #expect(report.findings.filter { $0.level != .pass }.map(\.code) == ["root.document"])
        #expect(report.outcome == .success)
        #expect(report.readiness?.score == 1)
        #expect(report.rootReadiness?.score == 0)
        #expect(report.metadataURL == Deployment.location)
        #expect(report.resource == Deployment.resource)
        #expect(report.authorizationServers == [Deployment.issuer])
    }

    @Test func `a root alias is found and scored`() async {
        world.serve(Deployment.document(), at: Deployment.root)
        let report = await world.report()
        #expect(report.rootReadiness?.score == 1)
        #expect(report.codes(.note) == [])
    }

    @Test(arguments: [
        ("", Finding.Level.fail, "challenge.present"),
        ("Bearer", .fail, "challenge.parameters"),
        (#"Bearer, realm="x""#, .fail, "challenge.grammar"),
        (#"Basic realm="x""#, .fail, "challenge.scheme"),
        (#"Bearer realm="x""#, .warn, "challenge.resource-metadata"),
        (#"Bearer resource_metadata="http://api.example.com/m""#, .fail, "challenge.resource-metadata"),
        (#"Bearer resource_metadata="/relative""#, .fail, "challenge.resource-metadata"),
        (
            #"Bearer error="invalid_token", resource_metadata="\#(Deployment.location)""#, .warn,
            "challenge.error"
        ),
        (
            #"Bearer resource_metadata="\#(Deployment.location)", DPoP resource_metadata="https://other""#,
            .warn,
            "challenge.resource-metadata"
        ),
        (#"DPoP resource_metadata="\#(Deployment.location)""#, .warn, "clients.challenge"),
    ])
    func `a challenge that misleads clients is a failure`(line: String, level: Finding.Level, code: String)
        async
    {
        world.answerCalls(line)
        #expect(await world.report().findings.contains { $0.level == level && $0.code == code })
    }

    @Test func `the report names the clients that an odd challenge locks out, with the reason`() async {
        world.answerCalls("DPoP" + Deployment.challenge.dropFirst(6))
        let texts = await world.report().findings.filter { $0.code == "clients.challenge" }.map(\.text)
        #expect(texts.count == 4)
        #expect(texts.contains { $0.hasPrefix("VS Code does not find") && $0.contains("spelled Bearer") })
    }

    @Test(arguments: [(200, Finding.Level.warn), (302, .warn), (404, .warn)])
    func `a call without a token that is not answered with 401 is a failure`(code: Int, level: Finding.Level)
        async
    {
        world.answerCalls(status: Status(code: code))
        let report = await world.report()
        #expect(report.findings.contains { $0.level == level && $0.code == "challenge.status" })
        #expect(report.readiness?.score == 1)
    }

    @Test(arguments: [
        "https://api.example.com/mcp/", "https://other.example/mcp", "https://api.example.com/MCP",
    ])
    func `a document that names another resource is a failure`(resource: String) async {
        world.serve(Deployment.document(["resource": .string(resource)]))
        let report = await world.report()
        #expect(report.codes(.fail).contains("metadata.resource"))
        #expect(report.codes(.warn).contains("clients.resource"))
        #expect(report.outcome == .failure)
    }

    @Test func `a document that names a resource above the URL is a warning`() async {
        world.serve(Deployment.document(["resource": "https://api.example.com"]))
        let report = await world.report()
        #expect(report.codes(.warn).contains("metadata.resource"))
        #expect(!report.codes(.fail).contains("metadata.resource"))
    }

    @Test
    func
        `a root with an alias is a warning if it is open, and a failure if it requires a token`()
        async
    {
        let home = "https://api.example.com/"
        world.serve(Deployment.document(), at: Deployment.root)
        world.network.on(home) { _ in FetchResponse(status: .ok) }
        let open = await world.report(on: home)
        #expect(open.codes(.fail) == [])
        #expect(open.codes(.warn).contains("metadata.resource"))
        #expect(open.readiness?.score == 1)
        world.network.on(home) { _ in
            FetchResponse(status: .unauthorized, fields: [.wwwAuthenticate: #"Bearer realm="x""#])
        }
        #expect(await world.report(on: home).codes(.fail) == ["metadata.resource"])
    }

    @Test func `members that RFC 9728 forbids are reported by path`() async {
        world.serve(Deployment.document(["scopes_supported": "mcp:read", "resource_policy_uri": "/policy"]))
        let texts = await world.report().findings.filter { $0.level == .fail }.map(\.text)
        #expect(texts.contains { $0.hasPrefix("$.scopes_supported: ") })
        #expect(texts.contains { $0.hasPrefix("$.resource_policy_uri: ") })
    }

    @Test func `another metadata URL than the derived one is reported`() async {
        let elsewhere = "https://api.example.com/custom.json"
        world.serve(Deployment.document(), at: elsewhere)
        world.answerCalls(#"Bearer resource_metadata="\#(elsewhere)", scope="mcp:read""#)
        #expect(await codes(.warn, .fail) == [])
        #expect(await world.report().codes(.pass).contains("metadata.derived"))
        world.network.on(Deployment.location, status: .notFound)
        #expect(await codes(.warn, .fail) == ["metadata.derived"])
    }

    @Test func `signed metadata is verified`() async {
        let signer = TestIssuer(Deployment.resource)
        func serve(by issuer: TestIssuer, _ name: String) {
            let payload: JSONObject = ["iss": .string(name), "resource": .string(Deployment.resource)]
            let token = issuer.sign(header: [:], payload: payload.serialized())
            world.serve(
                Deployment.document([
                    "signed_metadata": .string(token), "jwks_uri": "https://api.example.com/keys",
                ]))
        }
        world.network.on("https://api.example.com/keys", json: .object(signer.keys.publicJSON))
        serve(by: signer, Deployment.resource)
        #expect(await world.report().signer == Deployment.resource)
        serve(by: TestIssuer(Deployment.resource), Deployment.resource)
        #expect(await codes(.fail) == ["metadata.signed"])
        serve(by: signer, "https://auditor.example")
        #expect(await codes(.warn) == ["metadata.signed"])
    }

    // MARK: The authorization servers

    @Test func `an unreachable server is a failure if it is the only one`() async {
        world.network.on("\(Deployment.issuer)/.well-known/oauth-authorization-server", status: .notFound)
        #expect(await codes(.fail) == ["server.any"])
        let other = "https://other.example"
        world.network.on(
            "\(other)/.well-known/openid-configuration",
            json: ["issuer": .string(other), "token_endpoint": "https://other.example/token"])
        world.network.on("\(other)/.well-known/oauth-authorization-server", status: .notFound)
        world.network.on("\(Deployment.issuer)/.well-known/openid-configuration", status: .notFound)
        world.serve(
            Deployment.document(["authorization_servers": [.string(Deployment.issuer), .string(other)]]))
        let report = await world.report()
        #expect(report.codes(.fail) == [])
        #expect(report.codes(.warn) == ["server.metadata"])
    }

    @Test func `of many authorization servers only the first ones are checked`() async {
        let many = (0..<1000).map { JSONValue.string("https://as\($0).example") }
        world.serve(Deployment.document(["authorization_servers": .array(many)]))
        let report = await world.report()
        #expect(report.codes(.fail) == ["server.any"])
        #expect(report.codes(.warn).count { $0 == "server.count" } == 1)
        #expect(report.codes(.warn).count { $0 == "server.metadata" } == 64)
        #expect(world.network.requests.count < 100)
    }

    @Test func `the authorization server's metadata must agree with the resource`() async {
        world.serveIssuer(["issuer": "https://as.example.com/"])
        #expect(await world.report().codes(.fail) == ["server.any"])
        world.serveIssuer(["protected_resources": ["https://other.example"]])
        #expect(await codes(.warn, .fail) == ["server.protected-resources"])
        world.serveIssuer(["scopes_supported": ["openid"]])
        #expect(await codes(.warn, .fail) == ["server.scopes"])
        world.serveIssuer(omitting: ["code_challenge_methods_supported"])
        #expect(await codes(.warn, .fail) == ["server.pkce"])
        world.serveIssuer(omitting: ["token_endpoint"])
        #expect(await codes(.warn, .fail) == ["server.token", "server.any"])
        world.serveIssuer(omitting: ["registration_endpoint", "jwks_uri"])
        #expect(
            await codes(.warn, .fail, .note) == ["server.registration", "server.keys", "root.document"])
    }

    @Test func `unusable keys and published private keys are reported`() async {
        world.network.on("\(Deployment.issuer)/keys", json: ["keys": []])
        #expect(await codes(.warn, .fail) == ["server.keys", "server.any"])
        world.network.on("\(Deployment.issuer)/keys", failing: .timedOut)
        #expect(await codes(.warn, .fail) == ["server.keys", "server.any"])
        world.network.on(
            "\(Deployment.issuer)/keys", json: ["keys": [["kty": "oct", "k": "AAAA"]]])
        #expect(await codes(.fail) == ["server.keys", "server.any"])
    }

    // MARK: What else clients send

    @Test func `a token that no issuer issued gets no access`() async {
        world.answerCalls(badTokenStatus: .ok)
        #expect(await codes(.fail) == ["probe.bad-token"])
        world.answerCalls(badTokenStatus: .badRequest)
        #expect(await codes(.warn, .fail) == ["probe.bad-token"])
    }

    @Test func `serving a document at every path is a failure`() async {
        world.serve(Deployment.document(), at: "\(Deployment.root)/portcullis-check/no-such-resource")
        #expect(await codes(.fail) == ["probe.unknown-suffix"])
    }

    @Test(arguments: [(404, nil), (500, Finding.Level.warn), (401, .warn), (200, .fail)])
    func `a well-known path that belongs to no resource must be 404`(code: Int, level: Finding.Level?) async {
        world.network.on("\(Deployment.root)/portcullis-check/no-such-resource", status: Status(code: code))
        let found = await world.report().findings.first { $0.code == "probe.unknown-suffix" }
        #expect(found?.level == level ?? .pass)
    }

    @Test func `metadata that requires a token is a failure`() async {
        let body = Deployment.document().serialized()
        world.network.on(Deployment.location) { request in
            request.fields.contains(.authorization)
                ? FetchResponse(status: .unauthorized)
                : FetchResponse(
                    status: .ok, fields: [.contentType: "application/json", .cacheControl: "max-age=1"],
                    body: body)
        }
        let report = await world.report()
        #expect(report.codes(.fail) == ["probe.metadata-open"])
        #expect(
            report.codes(.warn)
                == ["probe.metadata-preflight", "probe.metadata-cors"])
    }

    @Test func `metadata that repeats a forged host is a failure`() async {
        world.network.on(Deployment.location) { request in
            let host = request.fields["X-Forwarded-Host"] ?? "api.example.com"
            let body = Deployment.document(["resource": .string("https://\(host)/mcp")]).serialized()
            return FetchResponse(
                status: .ok, fields: [.contentType: "application/json", .cacheControl: "max-age=1"],
                body: body)
        }
        #expect(await codes(.fail) == ["probe.forwarded-host"])
    }

    // MARK: What cannot be checked

    @Test(arguments: [
        "http://api.example.com/mcp", "http://127.0.0.1:1/", "https://h/#f", "mcp", "https://u@h/",
    ])
    func `a URL that is not an https resource is not called`(url: String) async {
        let report = await world.report(on: url)
        #expect(report.outcome == .trouble)
        #expect(world.network.requests.isEmpty)
    }

    @Test(arguments: [FetchError.unreachable, .forbiddenAddress, .timedOut, .untrustedServer])
    func `a host that does not answer could not be checked`(error: FetchError) async {
        world.network.on(Deployment.resource, failing: error)
        let report = await world.report()
        #expect(report.outcome == .trouble)
        #expect(report.trouble == DiscoveryError.noResponse(error).description)
    }

    @Test func `no probe follows a redirect or sends a real secret`() async {
        world.network.on(Deployment.location) { _ in
            FetchResponse(status: .found, fields: [.location: "https://evil.example/"])
        }
        _ = await world.report()
        #expect(world.network.count(of: "https://evil.example/") == 0)
    }

    @Test func `RFC 9728 §2: a missing name is a note, not a failure`() async {
        var document = Deployment.document()
        document["resource_name"] = nil
        world.serve(document)
        let report = await world.report()
        #expect(report.codes(.note).contains("metadata.name"))
        #expect(report.outcome == .success && report.codes(.warn) == [])
    }

    @Test func `an invalid document gets its warnings too`() async {
        world.serve(
            Deployment.document([
                "scopes_supported": "mcp:read", "token_endpoint": "https://as.example.com/token",
            ]))
        let report = await world.report()
        #expect(report.codes(.fail).contains("metadata.member"))
        #expect(report.codes(.warn).contains("metadata.member"))
        #expect(!report.codes(.note).contains("metadata.scopes"))
    }
}
