// SPDX-License-Identifier: MIT

import Foundation
import Portcullis
import PortcullisCommand
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Synchronization
import Testing

@Suite("portcullis check --watch and --config")
struct WatchTests {
    let world = Deployment()
    let transcript = Transcript()
    let rounds = RoundCounter()

    /// A watch that ends after a number of rounds.
    private func watch(webhook: String? = nil, rounds count: Int = 5) -> CheckWatch {
        let left = Counter(count)
        return CheckWatch(every: 60, webhook: webhook, fetcher: world.network) { duration in
            #expect(duration == .seconds(60))
            return left.next()
        }
    }

    /// Watches the deployment, and changes it before a round.
    private func run(
        _ watch: CheckWatch, changing change: @escaping @Sendable (Int) -> Void
    ) async -> Outcome {
        let first = await world.report()
        return await watch.run(after: [first], transcript.console()) {
            let round = rounds.next()
            change(round)
            return [await world.report()]
        }
    }

    @Test func `a watch without changes goes on until it is ended`() async {
        #expect(await run(watch()) { _ in } == .success)
        #expect(rounds.count == 5)
        #expect(transcript.output == "" && transcript.errors == "")
    }

    @Test func `the first change is printed, and ends a watch without a webhook`() async {
        let outcome = await run(watch()) { [world] round in
            if round == 2 { world.serveIssuer(["token_endpoint": "https://as.example.com/token2"]) }
        }
        #expect(outcome == .failure)
        #expect(rounds.count == 2)
        #expect(transcript.output.split(separator: "\n").count == 1)
        #expect(
            transcript.output.hasSuffix(
                "Z https://api.example.com/mcp: https://as.example.com token_endpoint changed from "
                    + "\"https://as.example.com/token\" to \"https://as.example.com/token2\"\n"))
    }

    @Test func `every change of what clients rely on is found`() async {
        let changes: [(@Sendable (Deployment) -> Void, String)] = [
            ({ $0.serve(Deployment.document(["scopes_supported": ["mcp:write"]])) }, "scopes_supported"),
            (
                { $0.serve(Deployment.document(["authorization_servers": ["https://other.example"]])) },
                "authorization_servers"
            ),
            ({ $0.serveIssuer(["jwks_uri": "https://as.example.com/keys2"]) }, "jwks_uri"),
            (
                { $0.serveIssuer(["token_endpoint_auth_methods_supported": ["none"]]) },
                "token_endpoint_auth_methods_supported"
            ),
            ({ $0.serveIssuer(omitting: ["registration_endpoint"]) }, "registration_endpoint"),
        ]
        for (change, name) in changes {
            let world = Deployment()
            let before = await world.report().facts
            change(world)
            let list = WatchedChange.list(from: before, to: await world.report().facts)
            #expect(list.count == 1 && list[0].name.hasSuffix(name), "\(name): \(list)")
        }
    }

    @Test func `a server that does not answer for a while has not changed`() async {
        let metadata = "\(Deployment.issuer)/.well-known/oauth-authorization-server"
        let outcome = await run(watch()) { [world] round in
            switch round {
            case 1: world.network.on(Deployment.resource, failing: .timedOut)
            case 2:
                world.answerCalls()
                world.network.on(metadata, failing: .timedOut)
            default: world.serveIssuer()
            }
        }
        #expect(outcome == .success)
        #expect(transcript.output == "")
        #expect(transcript.errors.contains("https://api.example.com/mcp: could not check: "))
    }

    @Test func `a webhook gets each change as JSON, and the watch goes on`() async throws {
        let hook = "https://hooks.example/check"
        world.network.on(hook, status: .noContent)
        let outcome = await run(watch(webhook: hook)) { [world] round in
            if round < 3 {
                world.serveIssuer(["token_endpoint": .string("https://as.example.com/token\(round)")])
            } else {
                world.network.on(hook, status: .internalServerError)
                world.serveIssuer()
            }
        }
        #expect(outcome == .success)
        let calls = world.network.requests.filter { $0.url == hook }
        #expect(calls.count == 3)
        let first = try #require(calls.first)
        #expect(first.method == .post && first.fields[.contentType] == "application/json")
        let message = try #require(try JSONValue.parse(first.body).object)
        #expect(message["subject"] == "https://api.example.com/mcp")
        let change = try #require(message["changes"]?.array?.first?.object)
        #expect(change["name"] == "https://as.example.com token_endpoint")
        #expect(change["after"] == "\"https://as.example.com/token1\"")
        #expect(transcript.errors.contains("the webhook answered 500"))
    }

    @Test(arguments: [
        ["--watch", "5", "https://a.example"], ["--watch", "86401", "https://a.example"],
        ["--webhook", "https://h.example", "https://a.example"],
        ["--watch", "60", "--webhook", "http://h.example", "https://a.example"],
        ["--watch", "60", "--resume", "a.jsonl", "https://a.example"], ["--watch", "60", "--file", "a.json"],
    ])
    func `a wrong watch is explained`(words: [String]) async {
        #expect(await CommandLineTool.run(["check"] + words, console: transcript.console()) == .trouble)
        #expect(transcript.errors.contains("usage: portcullis check"))
        #expect(CheckWatch.interval == 10...86_400)
    }

    // MARK: --config

    private func check(configuration: String) async throws -> JSONObject? {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data(configuration.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(await transcript.run("check", "--format", "sarif", "--config", file.path) == .trouble)
        return try JSONValue.parse(Array(transcript.output.utf8)).object?["runs"]?.array?.first?.object
    }

    @Test func `the resources of a configuration are checked, each at its line`() async throws {
        let run = try await check(
            configuration: """
                {
                  "server": {"host": "127.0.0.1", "port": 0},
                  "authorization_servers": [{"issuer": "https://127.0.0.1:1"}],
                  "resources": [
                    {"metadata": {"resource": "https://127.0.0.1:2/a",
                                  "authorization_servers": ["https://127.0.0.1:1"]},
                     "routes": [{"path": "/a", "respond": {"text": "a"}}]},
                    {"metadata": {
                        "resource": "https://127.0.0.1:2/b", "authorization_servers": ["https://127.0.0.1:1"]},
                     "routes": [{"path": "/b", "respond": {"text": "b"}}]}
                  ]
                }
                """)
        let notices = try #require(
            run?["invocations"]?.array?.first?.object?["toolExecutionNotifications"]?.array,
            "\(transcript.errors)")
        let lines = notices.map { notice in
            notice.object?["locations"]?.array?.first?.object?["physicalLocation"]?.object?["region"]?
                .object?["startLine"]?.number?.integer
        }
        #expect(lines == [5, 9])
    }

    @Test func `a configuration that the server refuses is explained`() async throws {
        let transcript = Transcript()
        #expect(await transcript.run("check", "--config", "/nowhere.json") == .trouble)
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data(#"{"resources": [{"metadata": {"resource": "ftp://x"}}]}"#.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(await transcript.run("check", "--config", file.path) == .trouble)
        #expect(transcript.errors.contains("is not valid:\n$."))
    }
}

/// Counts down.
private final class Counter: Sendable {
    private let left: Mutex<Int>

    init(_ count: Int) { left = Mutex(count) }

    /// Whether it was above zero.
    func next() -> Bool {
        left.withLock { left in
            left -= 1
            return left >= 0
        }
    }
}

/// Counts up.
final class RoundCounter: Sendable {
    private let state = Mutex(0)

    var count: Int { state.withLock { $0 } }

    func next() -> Int {
        state.withLock { count in
            count += 1
            return count
        }
    }
}
