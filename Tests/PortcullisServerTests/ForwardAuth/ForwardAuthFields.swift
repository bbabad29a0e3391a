// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("FWA-01, FWA-02, FWA-03, FWA-06, FWA-11 Where the request is described", .timeLimit(.minutes(1)))
struct ForwardAuthFields {
    private static let nginx = [
        "X-Original-URI: /public/a", "X-Original-Method: GET", "X-Original-Host: api.example.com",
    ]
    private static let caddy = [
        "X-Forwarded-Uri: /public/a", "X-Forwarded-Method: GET", "X-Forwarded-Host: api.example.com",
    ]

    private static func statuses(
        _ family: ForwardAuthFamily, _ fields: [[String]]
    ) async throws -> [Int] {
        var statuses: [Int] = []
        try await ForwardAuthStage.run(family) { stage async throws in
            for fields in fields {
                statuses.append(try await stage.server.exchange(request("GET", "/_auth", fields)).status)
            }
        }
        return statuses
    }

    @Test func `FWA-01 each family has its own fields, without a fall-back`() async throws {
        let both = [Self.nginx, Self.caddy]
        #expect(try await Self.statuses(.haproxy, both) == [200, 400])
        #expect(try await Self.statuses(.nginx, both) == [200, 403])
        #expect(try await Self.statuses(.traefik, both) == [400, 200])
        #expect(try await Self.statuses(.caddy, both) == [400, 200])
        #expect(try await Self.statuses(.envoy, both) == [400, 400])
        // A client's field of another family means nothing.
        #expect(try await Self.statuses(.haproxy, [Self.nginx + ["X-Forwarded-Uri: /mcp"]]) == [200])
    }

    @Test(arguments: ForwardAuthFamily.allCases)
    func `FWA-02 for other peers the endpoint does not exist`(family: ForwardAuthFamily) async throws {
        try await ForwardAuthStage.run(family, .init(networks: ["192.0.2.1"])) { stage async throws in
            let reply = try await stage.ask("/public/a")
            #expect(reply.status == 404)
            #expect(!reply.fields.contains { $0.name.hasPrefix("X-Portcullis") })
            let posted = try await stage.server.exchange(
                "POST /_auth HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na")
            #expect(posted.status == 404)
            let warnings = stage.server.log.sentences.filter { $0.contains("forward-auth") }
            #expect(warnings.count == 1)
            #expect(warnings.first?.contains("127.0.0.1") == true)
            #expect(warnings.first?.contains("trusted_proxies") == true)
        }
    }

    @Test func `FWA-02 not even at a resource that has every path`() async throws {
        let root: (GuardedSite) throws -> ProtectedResource = { site in
            try site.resource("https://api.example.com", scopes: ["tools:read", "tools:write"])
        }
        let change = ForwardAuthStage.Setup(networks: ["192.0.2.1"], resource: root, publicPath: "/open")
        try await ForwardAuthStage.run(.nginx, change) { stage async throws in
            #expect(try await stage.server.get("/_auth").status == 404)
            #expect(try await stage.server.get("/_auth", stage.token).status == 404)
            #expect(try await stage.server.get("/_auth/x").status == 401)
        }
    }

    @Test func `FWA-03 each field is there exactly once, and not empty`() async throws {
        for index in Self.nginx.indices {
            let name = String(Self.nginx[index].prefix { $0 != ":" })
            let others = Self.nginx.enumerated().filter { $0.offset != index }.map(\.element)
            let wrong = [
                others, others + [name + ":"], Self.nginx + [Self.nginx[index]],
                Self.nginx + [Self.nginx[index].lowercased()], others + [Self.nginx[index] + ", b"],
                Self.nginx + [name.replacing("-", with: "_") + ": b"],
                Self.nginx + [name.replacing("-", with: ".").lowercased() + ": b"],
                Self.nginx + [name.replacing("X-", with: "x_") + ":"],
            ]
            #expect(
                try await Self.statuses(.haproxy, wrong) == Array(repeating: 400, count: wrong.count),
                "\(name)")
            #expect(
                try await Self.statuses(.nginx, wrong) == Array(repeating: 403, count: wrong.count), "\(name)"
            )
        }
    }

    // RFC 9112 §5.1: the message itself is malformed.
    @Test func `FWA-03 a blank before the colon`() async throws {
        #expect(try await Self.statuses(.caddy, [Self.caddy + ["x-forwarded-uri : /mcp"]]) == [400])
    }

    @Test(arguments: ["G ET", "GET,POST", "GET, POST", "G\u{7F}", "(", "gé"])
    func `FWA-03 a method that is no token is refused`(method: String) async throws {
        try await ForwardAuthStage.run(.caddy) { stage async throws in
            #expect(try await stage.ask("/public/a", method).status == 400)
        }
    }

    @Test func `FWA-06 the host selects among several authorities, and is never sent back`() async throws {
        let other = "https://other.example.com:8443/files"
        for family in ForwardAuthFamily.allCases {
            let second: (inout Routes, GuardedSite) -> Void = { routes, site in
                guard let files = try? site.resource(other) else { return }
                routes.protect(files) { $0.get("/") { _, _ in .ok } }
            }
            try await ForwardAuthStage.run(family, .init(routes: second)) { stage async throws in
                #expect(try await stage.ask("/mcp", host: "API.example.com:443").status == 401)
                let found = try await stage.ask("/files", host: "other.example.com:8443")
                #expect(found.status == 401)
                #expect(found["www-authenticate"]?.contains("https://other.example.com:8443/.well") == true)
                #expect(try await stage.ask("/mcp", host: "other.example.com:8443").status == 403)
                for host in ["unknown.example", "other.example.com", "api.example.com."] {
                    let reply = try await stage.ask("/mcp", host: host)
                    #expect(reply.status == 403, "\(family) \(host)")
                    #expect(!"\(reply.fields)\(reply.text)".contains(host))
                }
            }
        }
    }

    @Test(arguments: ForwardAuthFamily.allCases.filter { $0 != .envoy })
    func `FWA-06 a malformed host is 403, also with one authority`(family: ForwardAuthFamily) async throws {
        try await ForwardAuthStage.run(family) { stage async throws in
            for host in ["evil\"", "a@b", "a/b", "a?", "a#", "a b", "[::1", ":80", "a:99999", "a:b", "é"] {
                let reply = try await stage.ask("/mcp", host: host)
                #expect(reply.status == 403, "\(family) \(host)")
                #expect(!"\(reply.fields)\(reply.text)".contains("evil"))
            }
            #expect(try await stage.ask("/mcp", host: "anything.example:1").status == 401)
        }
    }

    @Test func `FWA-06 a malformed host is 403 where X-Forwarded fields name the client`() async throws {
        let proxies = try TrustedProxies(["127.0.0.1"], forwarded: .xForwarded)
        try await ForwardAuthStage.run(.caddy, .init(configure: { $0.proxies = proxies })) {
            stage async throws in
            #expect(try await stage.ask("/mcp", host: "evil\"").status == 403)
            #expect(try await stage.ask("/mcp", "GET", "X-Forwarded-For: garbage").status == 400)
            #expect(try await stage.ask("/mcp", "GET", "X-Forwarded-For: 192.0.2.1").status == 401)
        }
    }

    @Test(arguments: [
        "Content-Length: 5", "Content-Length: 1000000000", "Transfer-Encoding: chunked",
    ])
    func `FWA-11 declared content is refused at once`(field: String) async throws {
        for family in ForwardAuthFamily.allCases {
            try await ForwardAuthStage.run(family) { stage async throws in
                let client = try stage.server.client(timeout: .seconds(3))
                let carrier = stage.carrier("/public/a", "GET", [field]).replacing(
                    "Content-Length: 0\r\n", with: "")
                let reply = try await client.exchange(carrier)
                #expect(reply.status == family.mapped(400), "\(family)")
                #expect(reply.closes)
            }
        }
    }

    @Test func `FWA-11 a length of 0 is no content`() async throws {
        #expect(try await Self.statuses(.nginx, [Self.nginx + ["Content-Length: 0"]]) == [200])
    }

    @Test func `the proxy's operator is told what is missing, once a minute`() async throws {
        try await ForwardAuthStage.run(.nginx) { stage async throws in
            for _ in 0..<3 { _ = try await stage.askWith("X-Original-URI: /a") }
            let warnings = stage.server.log.sentences.filter { $0.contains("forward-auth") }
            #expect(warnings.count == 1)
            #expect(warnings.first?.contains("X-Original-Method is missing or empty") == true)
            #expect(warnings.first?.contains("/_auth") == true)
        }
    }
}
