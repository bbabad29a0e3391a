// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("RFC 7239 §8.1 Trusted proxies")
struct RFC7239_8_1 {
    @Test(arguments: [
        (["Forwarded: for=192.0.2.9;host=api.example.com;proto=https"], "192.0.2.9 api.example.com https"),
        (["Forwarded: for=203.0.113.66, for=192.0.2.9"], "192.0.2.9 - -"),
        (
            ["Forwarded: for=192.0.2.9;host=outer.example, for=10.1.2.3;host=inner"],
            "192.0.2.9 outer.example -"
        ),
        (
            ["Forwarded: for=192.0.2.9;host=spoofed, for=192.0.2.10;host=real", "X-Forwarded-For: 9.9.9.9"],
            "192.0.2.10 real -"
        ),
        (["Forwarded: for=_secret"], "_secret - -"), (["Forwarded: for=unknown"], "unknown - -"),
        (["Forwarded: proto=https"], "unknown - https"), (["Forwarded: for=10.1.2.3"], "10.1.2.3 - -"),
        (["X-Forwarded-For: 192.0.2.9", "X-Forwarded-Host: other"], "127.0.0.1 - -"), ([], "127.0.0.1 - -"),
    ])
    func `Forwarded is trusted as far as trusted proxies wrote it`(fields: [String], expected: String)
        async throws
    {
        let reply = try await Self.reply(.forwarded, fields)
        #expect(reply.text == expected)
    }

    @Test(arguments: [
        (
            ["X-Forwarded-For: 192.0.2.9", "X-Forwarded-Proto: https", "X-Forwarded-Host: API.example.com"],
            "192.0.2.9 api.example.com https"
        ),
        (["X-Forwarded-For: 203.0.113.66, 192.0.2.9, 10.1.2.3"], "192.0.2.9 - -"),
        (["X-Forwarded-For: garbage, 192.0.2.9"], "192.0.2.9 - -"),
        (["X-Forwarded-For: 203.0.113.66", "X-Forwarded-For: 2001:db8::9"], "2001:db8::9 - -"),
        (["X-Forwarded-For: [2001:db8::9]:4711"], "2001:db8::9 - -"),
        (["X-Forwarded-Host: spoofed, real", "X-Forwarded-For: 192.0.2.9:80"], "192.0.2.9 real -"),
        (["Forwarded: for=192.0.2.9"], "127.0.0.1 - -"),
    ])
    func `X-Forwarded is trusted as far as trusted proxies wrote it`(fields: [String], expected: String)
        async throws
    {
        let reply = try await Self.reply(.xForwarded, fields)
        #expect(reply.text == expected)
    }

    /// The client, the host and the scheme that the server derives.
    private static func reply(
        _ family: TrustedProxies.ForwardedFamily,
        trusting networks: [String] = ["127.0.0.0/8", "10.0.0.0/8"],
        _ fields: [String]
    ) async throws -> Reply {
        var setup = RunningServer.Setup()
        let proxies = try TrustedProxies(networks, forwarded: family)
        setup.configure = { $0.proxies = proxies }
        let echo: @Sendable (Request) -> Response = { request in
            let forwarding = request.forwarding
            return .text("\(request.clientAddress) \(forwarding?.host ?? "-") \(forwarding?.scheme ?? "-")")
        }
        return try await withServer(setup, { $0.get("/", echo) }) { server in
            try await server.exchange(request("GET", "/", fields))
        }
    }

    @Test(arguments: [
        (TrustedProxies.ForwardedFamily.forwarded, "Forwarded", "for=10.1.2.3"),
        (.xForwarded, "X-Forwarded-For", "10.1.2.3"),
    ])
    func `a list of more than 100 hops is refused, in one field or in several`(
        family: TrustedProxies.ForwardedFamily, name: String, element: String
    ) async throws {
        func list(_ count: Int) -> String {
            "\(name): " + Array(repeating: element, count: count).joined(separator: ", ")
        }
        #expect(try await Self.reply(family, [list(100)]).text == "10.1.2.3 - -")
        #expect(try await Self.reply(family, [list(101)]).status == 400)
        #expect(try await Self.reply(family, [list(60), list(40)]).text == "10.1.2.3 - -")
        #expect(try await Self.reply(family, [list(60), list(41)]).status == 400)
    }

    @Test(arguments: [
        (TrustedProxies.ForwardedFamily.forwarded, "Forwarded: for=192.0.2.9;for=192.0.2.9"),
        (.forwarded, "Forwarded: nonsense"),
        (.xForwarded, "X-Forwarded-For: 192.0.2.9,"), (.xForwarded, "X-Forwarded-For: garbage"),
        (.xForwarded, "X-Forwarded-Host: a b"), (.xForwarded, "X-Forwarded-Proto: ftp"),
    ])
    func `values that a proxy should not write are refused`(
        family: TrustedProxies.ForwardedFamily, field: String
    ) async throws {
        #expect(try await Self.reply(family, [field]).status == 400)
    }

    @Test(arguments: ["Forwarded: for=192.0.2.9;host=a", "Forwarded: nonsense", "X-Forwarded-For: garbage"])
    func `the fields of an untrusted peer are ignored`(field: String) async throws {
        for family in TrustedProxies.ForwardedFamily.allCases {
            let reply = try await Self.reply(family, trusting: ["192.0.2.0/24"], [field])
            #expect(reply.text == "127.0.0.1 - -")
        }
    }

    @Test func `a proxy's request ID is kept if it is valid`() async throws {
        var setup = RunningServer.Setup()
        let proxies = try TrustedProxies(["127.0.0.1"])
        setup.configure = {
            $0.proxies = proxies
            $0.assignsRequestIDs = true
        }
        try await withServer(setup, { $0.get("/") { _ in .ok } }) { server in
            let reply = try await server.get("/", "X-Request-Id: Root=1-abc+/=")
            #expect(reply["x-request-id"] == "Root=1-abc+/=")
            for bad in ["", "a b", "a\"b", String(repeating: "a", count: 129), "a\r\nX-Request-Id: b"] {
                #expect(try await server.get("/", "X-Request-Id: \(bad)")["x-request-id"]?.utf8.count == 13)
            }
        }
    }

    @Test func `each malformed address is refused`() {
        #expect {
            try TrustedProxies(["10.0.0.0/8", "proxy.example.com", "10.0.0.0/99", "unix"])
        } throws: { ($0 as? ConfigurationError)?.problems.count == 2 }
    }

    // RFC 9110 §15.5.20: a request belongs to the resource that shares its authority, Host or the forwarded
    // host.
    @Test func `the forwarded host selects the authority`() async throws {
        let issuer = TestIssuer("https://login.example.com")
        let first = ProtectedResource("https://one.example.com/a", trusting: issuer.trusted)
        let second = ProtectedResource("https://two.example.com/b", trusting: issuer.trusted)
        var setup = RunningServer.Setup()
        let proxies = try TrustedProxies(["127.0.0.1"], forwarded: .xForwarded)
        setup.configure = { $0.proxies = proxies }
        let declare: (inout Routes) -> Void = { routes in
            routes.protect(first) { _ in }
            routes.protect(second) { _ in }
        }
        try await withServer(setup, declare) { server in
            let reply = try await server.get("/b")
            #expect(reply.status == 421)
            #expect(try await server.get("/b", "X-Forwarded-Host: two.example.com").status == 401)
            #expect(try await server.get("/b", "X-Forwarded-Host: TWO.example.com:443").status == 401)
            #expect(try await server.get("/b", "X-Forwarded-Host: one.example.com").status == 404)
        }
    }
}

@Suite("Hosts that match no resource")
struct HostWatchTests {
    private static func sentences(
        _ hosts: [String], times: Int, _ identifiers: String...
    ) async throws -> [String] {
        let issuer = TestIssuer("https://login.example.com")
        let resources = try identifiers.map { identifier in
            var metadata = ProtectedResourceMetadata(resource: try ResourceIdentifier(validating: identifier))
            metadata.authorizationServers = ["https://login.example.com"]
            return try ProtectedResource(validating: .init(metadata, trusting: [issuer.trusted]))
        }
        let log = try await withServer(
            .init(loops: 1),
            { routes in
                for resource in resources { routes.protect(resource) { _ in } }
                routes.get("/public") { _ in .ok }
            }
        ) { server in
            let client = try server.client()
            for _ in 0..<times {
                for host in hosts {
                    _ = try await client.exchange("GET /public HTTP/1.1\r\nHost: \(host)\r\n\r\n")
                }
            }
            return server.log
        }
        return log.sentences.filter { $0.contains("keep naming the host") }
    }

    @Test func `an unknown host that repeats is reported once, with the fix`() async throws {
        let sentences = try await Self.sentences(
            ["internal:8080", "api.example.com"], times: 60, "https://api.example.com/a")
        #expect(sentences.count == 1)
        #expect(sentences.first?.contains("internal:8080") == true)
        #expect(sentences.first?.contains("proxy_set_header Host $http_host") == true)
        #expect(sentences.first?.contains("api.example.com") == true)
    }

    @Test func `a few requests are not reported`() async throws {
        #expect(try await Self.sentences(["internal"], times: 19, "https://api.example.com/a") == [])
    }

    @Test func `the default port and the case make no other host`()
        async throws
    {
        #expect(
            try await Self.sentences(
                ["api.example.com:443", "API.example.com"], times: 30, "https://api.example.com/a") == [])
    }

    @Test func `without a guarded resource no host is unknown`() async throws {
        #expect(try await Self.sentences(["internal"], times: 30) == [])
    }

    @Test func `many hosts with one request each neither fill the log nor hide the one that repeats`()
        async throws
    {
        let many = (0..<40).map { "h\($0)" } + ["stays", "stays", "stays"]
        let sentences = try await Self.sentences(many, times: 10, "https://api.example.com/a")
        #expect(sentences.count <= 1)
    }

    @Test func `a host that resembles a sentence is not repeated`() async throws {
        #expect(try await Self.sentences(["a;b=c!"], times: 30, "https://api.example.com/a") == [])
    }
}
