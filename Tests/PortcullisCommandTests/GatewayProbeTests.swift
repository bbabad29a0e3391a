// SPDX-License-Identifier: MIT

import Foundation
import Portcullis
import PortcullisCommand
import PortcullisHTTP
import PortcullisTesting
import Testing

@Suite("What arrives behind a gateway", .timeLimit(.minutes(2)))
struct GatewayProbeTests {
    private static let url = "https://api.example.com/site/portcullis-check"

    /// A port that was free a moment ago.
    private static func freePort() throws -> Int {
        let listener = try #require(UpstreamListener(host: "127.0.0.1", port: 0))
        return listener.port
    }

    private static func route(_ port: Int, needsToken: Bool = false) -> GatewayRoute {
        GatewayRoute(
            url: url, host: "127.0.0.1", port: port, identityPrefix: "X-Portcullis-", needsToken: needsToken)
    }

    /// A gateway that passes on the fields that it keeps.
    private static func gateway(
        to port: Int, keeping keeps: @escaping @Sendable (String) -> Bool
    ) -> ScriptedFetcher {
        let network = ScriptedFetcher()
        network.on(url) { request throws(FetchError) in
            var fields: Fields = ["X-Portcullis-Subject": "alice"]
            for field in request.fields where keeps("\(field.name)") {
                fields.append(field.value, for: field.name)
            }
            return try await HTTPClientFetcher().fetch(
                FetchRequest(url: "http://127.0.0.1:\(port)/site/x", fields: fields))
        }
        return network
    }

    @Test(arguments: [
        ("all", Finding.Level.fail), ("underscores", .fail), ("none", .pass),
    ])
    func `a forged identity that arrives is a failure, in either spelling`(kept: String, level: Finding.Level)
        async throws
    {
        let port = try Self.freePort()
        let network = Self.gateway(to: port) { name in
            kept == "all" || kept == "underscores" && name.contains("_")
        }
        let found = await GatewayProbe(fetcher: network, token: nil).findings(on: [Self.route(port)])
        #expect(found.map(\.code) == ["gateway.identity"])
        #expect(found.map(\.level) == [level])
        #expect((found.first?.exchange == nil) == (level == .pass))
    }

    @Test func `what cannot be seen is a note`() async throws {
        let port = try Self.freePort()
        let silent = ScriptedFetcher()
        let probe = GatewayProbe(fetcher: silent, token: nil)
        #expect(await probe.findings(on: [Self.route(port)]).map(\.code) == ["gateway.unseen"])
        let guarded = await probe.findings(on: [Self.route(port, needsToken: true)])
        #expect(guarded.first?.text.contains("needs a token") == true)
        let taken = try #require(UpstreamListener(host: "127.0.0.1", port: 0))
        let running = await probe.findings(on: [Self.route(taken.port)])
        #expect(running.first?.text.contains("is running") == true)
    }

    @Test func `a token goes only to routes that need one`() async throws {
        let port = try Self.freePort()
        for needsToken in [true, false] {
            let network = Self.gateway(to: port) { _ in false }
            _ = await GatewayProbe(fetcher: network, token: "secret-token").findings(
                on: [Self.route(port, needsToken: needsToken)])
            let sent = network.requests.map { $0.fields[.authorization] }
            #expect(sent == [needsToken ? "Bearer secret-token" : nil])
        }
    }

    @Test func `the routes to upstreams on this machine are found in a configuration`() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        let (port, upstream) = (try Self.freePort(), try Self.freePort())
        let text = """
            {
              "server": {"host": "127.0.0.1", "port": 0},
              "authorization_servers": [{"issuer": "http://127.0.0.1:1", "allow_insecure_loopback": true}],
              "resources": [
                {"metadata": {"resource": "http://127.0.0.1:\(port)/a", "authorization_servers": ["http://127.0.0.1:1"]},
                 "routes": [{"path": "/a/{rest...}", "respond": {"proxy": "http://127.0.0.1:2"}}]}],
              "public_routes": [{"path": "/site/{rest...}", "respond": {"proxy": "http://127.0.0.1:\(upstream)"}}]
            }
            """
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        // The resource itself, which answers 401.
        let resource = try #require(UpstreamListener(host: "127.0.0.1", port: port))
        let transcript = Transcript()
        let arrivals = await resource.arrivals {
            _ = await transcript.run("check", "--allow-private", "--config", file.path)
        }
        #expect(arrivals.count > 5, "\(transcript.errors)")
        #expect(transcript.output.contains("/a/portcullis-check needs a token"))
        #expect(
            transcript.output.contains(
                "/site/portcullis-check arrived at its upstream 127.0.0.1:\(upstream)."))
    }
}
