// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTesting
import PortcullisTransport
import Synchronization
import Testing

/// A custom metrics backend.
private final class EventBook: ServerMetrics, ServerMetricsRecorder {
    private let list = Mutex<[ServerEvent]>([])

    let describesRefusals: Bool

    init(describesRefusals: Bool = false) { self.describesRefusals = describesRefusals }

    func makeRecorder(loop: Int) -> any ServerMetricsRecorder { self }
    func record(_ event: ServerEvent) { list.withLock { $0.append(event) } }

    var events: [ServerEvent] { list.withLock { $0 } }

    var summaries: [RequestSummary] {
        events.compactMap { if case .requestFinished(let summary) = $0 { summary } else { nil } }
    }

    var timeouts: [TimeoutKind] {
        events.compactMap { if case .timedOut(let kind) = $0 { kind } else { nil } }
    }

    var held: [String] {
        events.compactMap { if case .loopHeld(let route, _) = $0 { route } else { nil } }
    }
}

@Suite("Metrics: what a server reports")
struct MetricsTests {
    private let book = EventBook()

    private func serving(
        limits: Server.Limits = .init(), _ declare: (inout Routes) -> Void,
        _ test: (RunningServer) async throws -> Void
    ) async throws {
        try await withServer(
            .init(loops: 1, limits: limits, grace: .milliseconds(300), metrics: book), declare, test)
    }

    @Test func `a request is reported by its route, not its path`() async throws {
        try await serving({ $0.get("/photos/{id}") { _ in .text("seven") } }) { server in
            _ = try await server.get("/photos/7?secret=1")
        }
        let summary = try #require(book.summaries.first)
        #expect(book.summaries.count == 1)
        #expect(summary.route == "/photos/{id}")
        #expect(summary.method == .get)
        #expect(summary.status == .ok)
        #expect(summary.isComplete)
        #expect(summary.receivedByteCount == request("GET", "/photos/7?secret=1").utf8.count)
        #expect(summary.sentByteCount > 5)
    }

    @Test(arguments: [true, false])
    func `a backend that asks for details gets the refusal's description`(describesRefusals: Bool)
        async throws
    {
        let book = EventBook(describesRefusals: describesRefusals)
        let issuer = TestIssuer("https://login.example.com")
        let notes = ProtectedResource("https://api.example.com/notes", trusting: issuer.trusted)
        try await withServer(.init(loops: 1, metrics: book), { $0.protect(notes) { _ in } }) { server in
            _ = try await server.get("/notes")
        }
        let summary = try #require(book.summaries.first)
        #expect(summary.refusal == .missingCredentials)
        #expect(summary.finding?.got == (describesRefusals ? "none" : nil))
    }

    @Test func `a program's own metric is among the others`() {
        let registry = MetricsRegistry()
        registry.addGauge("store_up", help: "Whether it answers.") { 0 }
        registry.addGauge("store_up", help: "Whether it answers.") { 1 }
        #expect(
            registry.openMetricsText.hasSuffix(
                "# TYPE portcullis_store_up gauge\n# HELP portcullis_store_up Whether it answers.\n"
                    + "portcullis_store_up 1\n# EOF\n"))
    }

    @Test func `content that the handler reads counts, also in pieces`() async throws {
        try await serving({
            $0.post("/") { request in
                .text("\(try await request.body.collect().count)")
            }
        }) { server in
            let client = try server.client()
            let head = request("POST", "/", ["Content-Length: 10"])
            try await client.send(head + "01234")
            try await Task.sleep(for: .milliseconds(50))
            try await client.send("56789")
            #expect(try await client.reply().text == "10")
            #expect(book.summaries.map(\.receivedByteCount) == [head.utf8.count + 10])
        }
    }

    @Test func `a refusal by the gate names its reason`() async throws {
        let issuer = TestIssuer("https://as.example.com")
        let resource = ProtectedResource("https://api.example.com/notes", trusting: issuer.trusted)
        try await serving({ $0.protect(resource) { $0.get("/") { _, _ in .ok } } }) { server in
            _ = try await server.get("/notes")
            _ = try await server.get("/notes", "Authorization: Bearer a.b.c")
        }
        #expect(book.summaries.map(\.status) == [.unauthorized, .unauthorized])
        #expect(book.summaries.first?.refusal == .missingCredentials)
        #expect(book.summaries.last?.refusal != .missingCredentials)
    }

    @Test func `requests without a route have a fixed name`() async throws {
        try await serving({ $0.get("/") { _ in .ok } }) { server in
            _ = try await server.get("/none")
            _ = try await server.exchange("GET / HTTP/1.1\r\n\r\n")
            _ = try await server.exchange("BREW  / HTTP/1.1\r\n\r\n")
        }
        #expect(book.summaries.map(\.route) == ["not found", "malformed", "malformed"])
        #expect(book.summaries.map(\.status?.code) == [404, 400, 400])
    }

    @Test func `a stream that is cut off is reported as cut`() async throws {
        try await serving({
            $0.get("/") { _ in
                .stream(contentType: "text/plain") { writer in
                    try await writer.write("a")
                    throw RequestBodyError.timeout
                }
            }
        }) { server in
            let client = try server.client()
            try await client.send(request("GET", "/"))
            _ = try? await client.reply()
        }
        #expect(book.summaries.map(\.isComplete) == [false])
        #expect(book.summaries.map(\.status) == [.ok])
    }

    @Test func `every connection that opens closes`() async throws {
        try await serving({ $0.get("/") { _ in .ok } }) { server in
            for _ in 0..<3 { _ = try await server.get("/") }
        }
        let opened = book.events.count { if case .connectionOpened = $0 { true } else { false } }
        let closed = book.events.count { if case .connectionClosed = $0 { true } else { false } }
        #expect(opened == 3)
        #expect(closed == 3)
    }

    @Test func `each deadline has its own kind`() async throws {
        var limits = Server.Limits()
        limits.headerTimeout = .milliseconds(60)
        limits.bodyTimeout = .milliseconds(60)
        limits.idleTimeout = .milliseconds(60)
        try await serving(
            limits: limits,
            { $0.post("/") { request in .text("\(try await request.body.collect().count)") } }
        ) { server in
            let idle = try server.client()
            _ = try? await idle.reply()
            #expect(book.timeouts == [.idle])
            _ = try await server.exchange("GET / HT")
            #expect(book.timeouts == [.idle, .header])
            _ = try await server.exchange(request("POST", "/", ["Content-Length: 3"]) + "a")
            #expect(book.timeouts == [.idle, .header, .body])
        }
    }

    @Test func `a handler that blocks its loop is named, at once or later`() async throws {
        try await serving({
            $0.get("/immediate") { _ in
                HeldThread.sleep(for: .milliseconds(150))
                return .ok
            }
            $0.get("/suspending") { _ async in
                await Task.yield()
                HeldThread.sleep(for: .milliseconds(150))
                return .ok
            }
            $0.blocking {
                $0.get("/blocking") { _ in
                    HeldThread.sleep(for: .milliseconds(150))
                    return .ok
                }
            }
        }) { server in
            _ = try await server.get("/blocking")
            _ = try await server.get("/immediate")
            #expect(book.held == ["/immediate"])
            _ = try await server.get("/suspending")
            #expect(book.held == ["/immediate", "/suspending"])
            #expect(
                server.log.sentences.count { $0.contains("/immediate blocked its event loop for 1") } == 1)
        }
    }

    @Test func `the lag of a loop is measured`() async throws {
        try await serving({ $0.get("/") { _ in .ok } }) { _ in
            let measured = await eventually {
                book.events.contains { if case .loopLag = $0 { true } else { false } }
            }
            #expect(measured)
        }
    }
}

@Suite("OpenMetrics 1.0: the text of the registry")
struct OpenMetricsTests {
    @Test func `counts of all loops are added up`() async throws {
        let metrics = MetricsRegistry()
        try await withServer(.init(loops: 3, metrics: metrics), { $0.get("/{id}") { _ in .ok } }) { server in
            for _ in 0..<20 { _ = try await server.get("/7") }
        }
        let text = metrics.openMetricsText
        let labels =
            #"{http_request_method="GET",url_scheme="http",http_response_status_code="200",http_route="/{id}","#
            + #"network_protocol_version="1.1""#
        let name = "http_server_request_duration_seconds"
        #expect(text.contains("\(name)_count\(labels)} 20\n"))
        #expect(text.contains("\(name)_bucket\(labels),le=\"+Inf\"} 20\n"))
        #expect(text.contains("portcullis_connections_opened_total 20\n"))
        #expect(text.contains("portcullis_connections 0\n"))
        #expect(text.hasSuffix("# EOF\n"))
    }

    @Test func `every sample belongs to the family above it, and buckets never shrink`() {
        let metrics = MetricsRegistry()
        let recorder = metrics.makeRecorder(loop: 0)
        for milliseconds in [0, 3, 30, 300, 30_000] {
            recorder.record(.requestFinished(summary("/", .milliseconds(milliseconds))))
        }
        recorder.record(.timedOut(.write))
        recorder.record(.loopHeld(route: "/", .seconds(1)))
        var family = ""
        var buckets: [Int] = []
        for line in metrics.openMetricsText.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") { family = String(line.split(separator: " ")[2]) }
            guard !line.hasPrefix("#") else { continue }
            #expect(line.hasPrefix(family), "\(line)")
            if line.contains("_bucket"), let count = line.split(separator: " ").last {
                buckets.append(Int(count) ?? -1)
            }
        }
        #expect(buckets == buckets.sorted())
        #expect(buckets.last == 5)
    }

    @Test func `a client cannot make the table grow`() {
        let metrics = MetricsRegistry()
        metrics.names = .both
        let recorder = metrics.makeRecorder(loop: 0)
        for number in 0..<100 {
            recorder.record(
                .requestFinished(summary("/", .zero, method: Method(token: "M\(number)"))))
        }
        let lines = metrics.openMetricsText.split(separator: "\n")
        #expect(lines.filter { $0.contains("requests_total{") }.count == 1)
        #expect(lines.contains { $0.contains(#"method="other",status="200"} 100"#) })
        #expect(
            lines.filter { $0.contains("duration_seconds_count{http_request_method=\"_OTHER\"") }.count == 1)
    }

    @Test func `two servers share no metrics`() async throws {
        let first = MetricsRegistry()
        let second = MetricsRegistry()
        try await withServer(.init(metrics: first), { $0.get("/") { _ in .ok } }) { one in
            try await withServer(.init(metrics: second), { $0.get("/") { _ in .ok } }) { _ in
                _ = try await one.get("/")
            }
        }
        #expect(first.openMetricsText.contains("portcullis_connections_opened_total 1\n"))
        #expect(second.openMetricsText.contains("portcullis_connections_opened_total 0\n"))
    }

    private func summary(_ route: String, _ duration: Duration, method: Method = .get) -> RequestSummary {
        RequestSummary(route: route, method: method, status: .ok, isComplete: true, duration: duration)
    }
}
