// SPDX-License-Identifier: MIT

import PortcullisConfiguration
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import PortcullisTransport
import Synchronization
import Testing

@Suite("Configuration file: proxy")
struct ProxyFileTests {
    private static func file(
        _ proxy: String, profile: String = "general", path: String = "/mcp/{rest...}", methods: String = "",
        metadata: String = "", isPublic: Bool = false
    ) throws -> ConfigurationFile {
        let route = "{\"path\":\"\(path)\",\(methods)\"respond\":{\"proxy\":\(proxy)}}"
        let text = """
            {"resources":[{"profile":"\(profile)",
            "metadata":{"resource":"https://api.example.com/mcp",\(metadata)
            "authorization_servers":["https://as.example.com"]},"routes":[\(isPublic ? "" : route)]}],
            "public_routes":[\(isPublic ? route : "")]}
            """
        return try ConfigurationFile(parsing: Array(text.utf8))
    }

    private static func errors(_ make: () throws -> ConfigurationFile) -> [String] {
        do {
            _ = try make()
            return []
        } catch let error as InvalidConfiguration {
            return error.findings.filter { $0.severity == .error }.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    private static let place = "$.resources[0].routes[0].respond.proxy"

    @Test func `a URL alone has all defaults, and every method but CONNECT and TRACE`() throws {
        let route = try Self.file("\"http://127.0.0.1:3000\"").resources[0].routes[0]
        #expect(route.methods == [.everyMethod])
        let proxy = try #require(route.proxy)
        #expect(proxy.urls == ["http://127.0.0.1:3000"])
        #expect(proxy.host == .upstream && !proxy.forwardsToken && proxy.upgrades.isEmpty)
        #expect(proxy.identityPrefix == "X-Portcullis-" && proxy.maxBodyByteCount == nil)
        #expect(proxy.connectTimeout == .seconds(5) && proxy.responseTimeout == .seconds(60))
        #expect(proxy.idleTimeout == .seconds(300) && !proxy.passesUnauthorized)
    }

    @Test func `every key is read`() throws {
        let route = try Self.file(
            """
            {"urls":["http://127.0.0.1:3000","unix:/run/a.sock"],"host":"resource","strip_prefix":"/mcp",
            "forward_token":true,"upgrade":["websocket"],"max_body_bytes":7,"identity_prefix":"X-Id-",
            "identity_assertion":{"private_key":"k","audience":"a"},"connect_timeout_seconds":1,
            "response_timeout_seconds":2,"idle_timeout_seconds":3,"ca_certificates":"ca.pem",
            "pass_upstream_401":true}
            """, methods: "\"methods\":[\"GET\"],"
        ).resources[0].routes[0]
        let proxy = try #require(route.proxy)
        #expect(route.methods == [.get])
        #expect(proxy.urls.count == 2 && proxy.host == .resource && proxy.strippedPrefix == "/mcp")
        #expect(proxy.forwardsToken && proxy.upgrades == ["websocket"] && proxy.maxBodyByteCount == 7)
        #expect(proxy.identityPrefix == "X-Id-" && proxy.assertion?.audience == "a")
        #expect(proxy.connectTimeout == .seconds(1) && proxy.responseTimeout == .seconds(2))
        #expect(proxy.idleTimeout == .seconds(3) && proxy.certificateAuthorities == "ca.pem")
        #expect(proxy.passesUnauthorized)
    }

    @Test(arguments: [
        ("{}", ".url: missing"), ("{\"urls\":[]}", ".urls: must not be empty"), ("7", ": must be a URL"),
        ("{\"url\":\"http://a\",\"urls\":[\"http://b\"]}", ".urls: must not be given together"),
        ("\"ftp://a\"", ": must be a URL such as"), ("\"http://u:p@a\"", ": must be a URL such as"),
        ("\"unix:relative\"", ": must be a URL such as"),
        ("{\"url\":\"http://a/?q\"}", ".url: must be a URL such as"),
        ("{\"urls\":[\"http://a\",\"b\"]}", ".urls[1]: must be a URL such as"),
        ("{\"url\":\"http://a\",\"strip_prefix\":\"mcp\"}", ".strip_prefix: must be"),
        ("{\"url\":\"http://a\",\"strip_prefix\":\"/mc\"}", ".strip_prefix: must be the start"),
        ("{\"url\":\"http://a\",\"strip_prefix\":\"/mcp/\"}", ".strip_prefix: must be"),
        ("{\"url\":\"http://a\",\"upgrade\":[\"h2c\"]}", ".upgrade[0]: must be"),
        ("{\"url\":\"http://a\",\"identity_prefix\":\"X\"}", ".identity_prefix: must be"),
        ("{\"url\":\"http://a\",\"identity_assertion\":{}}", ".identity_assertion.private_key: missing"),
        ("{\"url\":\"http://a\",\"host\":\"x\"}", ".host: must be one of"),
        ("{\"url\":\"http://a\",\"unknown\":1}", ".unknown: unknown key"),
    ])
    func `what is wrong is named by its path`(proxy: String, expected: String) {
        let errors = Self.errors { try Self.file(proxy) }
        #expect(errors.contains { $0.hasPrefix(Self.place + expected) }, "\(errors)")
    }

    // MCP 2026-07-28, security considerations.
    @Test func `an MCP server must not pass tokens on, others are warned`() throws {
        let settings = "{\"url\":\"http://a\",\"forward_token\":true}"
        #expect(
            Self.errors { try Self.file(settings, profile: "mcp") }.first?.hasPrefix(
                Self.place + ".forward_token: must not be true") == true)
        let warnings = try Self.file(settings).warnings
        #expect(warnings.contains { $0.path == Self.place + ".forward_token" && $0.isSaidAtStart })
    }

    @Test func `a public route has no resource`() throws {
        let errors = Self.errors {
            try Self.file(
                "{\"url\":\"http://a\",\"host\":\"resource\"}", path: "/site/{rest...}", isPublic: true)
        }
        #expect(errors.first?.contains("$.public_routes[0].respond.proxy.host") == true)
        let warnings = try Self.file(
            "{\"url\":\"http://a\",\"identity_assertion\":{\"private_key\":\"k\",\"audience\":\"a\"}}",
            path: "/site/{rest...}", isPublic: true
        ).warnings
        #expect(warnings.contains { $0.message.contains("no effect") })
    }

    @Test func `an unpublished key is warned about`() throws {
        let settings =
            "{\"url\":\"http://a\",\"identity_assertion\":{\"private_key\":\"k\",\"audience\":\"a\"}}"
        #expect(try Self.file(settings).warnings.contains { $0.message.contains("jwks_uri") })
        let metadata = "\"jwks_uri\":\"https://api.example.com/keys\","
        #expect(
            try !Self.file(settings, metadata: metadata).warnings.contains { $0.message.contains("jwks_uri") }
        )
    }

    @Test func `an event is logged once a minute, with the number of omitted ones`() {
        let time = Mutex(MonotonicInstant(nanoseconds: 1))
        let lines = Mutex<[String]>([])
        let log = GatewayLog(now: { time.withLock { $0 } }) { line in lines.withLock { $0.append(line) } }
        let refused = ReverseProxy.Event.failed(
            upstream: "http://127.0.0.1:1", .client(.connectFailed(111)), status: 502)
        for _ in 0..<3 { log.record(refused) }
        log.record(.loop)
        time.withLock { $0 = $0 + GatewayLog.interval }
        log.record(refused)
        #expect(
            lines.withLock { $0 } == [
                "\(refused)", "\(ReverseProxy.Event.loop)", "\(refused) (2 more in the minutes before)",
            ])
    }

    @Test func `files that cannot be read are named by their paths`() throws {
        let file = try Self.file(
            """
            {"url":"https://a","ca_certificates":"missing.pem",
            "identity_assertion":{"private_key":"missing.jwk","audience":"a"}}
            """)
        do throws(InvalidConfiguration) {
            _ = try file.makeProxies(relativeTo: "/nowhere/c.json") { _ in }
            Issue.record("no error")
        } catch {
            let paths = error.findings.map(\.path)
            #expect(paths.contains(Self.place + ".ca_certificates"))
            #expect(paths.contains(Self.place + ".identity_assertion.private_key"))
        }
    }
}
