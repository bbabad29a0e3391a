// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("OpenTelemetry's HTTP metrics, and the two text formats")
struct MetricsNamesTests {
    private static func summary(
        _ route: String = "/{id}", _ status: Status? = .ok, method: Method = .get, isComplete: Bool = true,
        isEncrypted: Bool = false
    ) -> RequestSummary {
        RequestSummary(
            route: route, method: method, status: status, isComplete: isComplete, duration: .milliseconds(3),
            isEncrypted: isEncrypted)
    }

    private static func counts(
        _ summaries: [RequestSummary], _ names: MetricsRegistry.Names = .new,
        _ format: MetricsRegistry.Format = .openMetrics
    ) -> [String] {
        let registry = MetricsRegistry()
        registry.names = names
        let recorder = registry.makeRecorder(loop: 0)
        for summary in summaries { recorder.record(.requestFinished(summary)) }
        return registry.text(format).split(separator: "\n").map(String.init)
    }

    @Test(arguments: [
        (summary(), #"GET",url_scheme="http",http_response_status_code="200",http_route="/{id}","#),
        (
            summary(isEncrypted: true),
            #"GET",url_scheme="https",http_response_status_code="200",http_route="/{id}","#
        ),
        (summary("not found", .notFound), #"GET",url_scheme="http",http_response_status_code="404","#),
        (
            summary(method: "BREW"),
            #"_OTHER",url_scheme="http",http_response_status_code="200",http_route="/{id}","#
        ),
    ])
    func `a request has the attributes of the convention`(summary: RequestSummary, labels: String) {
        let prefix = #"http_server_request_duration_seconds_count{http_request_method=""#
        #expect(Self.counts([summary]).contains(prefix + labels + #"network_protocol_version="1.1"} 1"#))
    }

    @Test(arguments: [
        (summary("/", .internalServerError), "500"), (summary("/", .requestTimeout), "timeout"),
        (summary("/", nil, isComplete: false), "client_disconnected"),
        (summary("/", .ok, isComplete: false), "client_disconnected"), (summary("/", .unauthorized), nil),
        (summary("/", .notFound), nil),
    ])
    func `only failures have a type of error`(summary: RequestSummary, type: String?) {
        let lines = Self.counts([summary]).filter { $0.contains("duration_seconds_count") }
        #expect(lines.count == 1)
        #expect(lines.first?.contains("error_type") == (type != nil))
        if let type { #expect(lines.first?.contains(#"error_type="\#(type)"}"#) == true) }
    }

    @Test func `the bounds are those of the convention`() {
        let bounds = Self.counts([Self.summary()]).filter { $0.contains("duration_seconds_bucket") }
            .compactMap { $0.split(separator: "\"").last(where: { !$0.hasPrefix("}") }).map(String.init) }
        #expect(
            bounds == [
                "0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1.0", "2.5", "5.0",
                "7.5", "10.0", "+Inf",
            ])
    }

    @Test func `the names of version 0.1 are there if they are asked for`() {
        let old = #"portcullis_requests_total{route="/{id}",method="other",status="200"} 1"#
        let summary = Self.summary(method: "BREW")
        #expect(Self.counts([summary], .both).contains(old))
        #expect(
            Self.counts([summary], .both).contains(
                #"portcullis_request_duration_seconds_count{route="/{id}"} 1"#))
        #expect(
            !Self.counts([summary]).contains { $0.hasPrefix("portcullis_request") && $0.contains("route") })
    }

    @Test(arguments: [MetricsRegistry.Format.openMetrics, .text])
    func `every family has one help and one type before its samples`(format: MetricsRegistry.Format) {
        let lines = Self.counts(
            [Self.summary(), Self.summary("not found", .notFound), Self.summary("malformed", .notFound)],
            .both,
            format)
        var help: Set<Substring> = []
        var types: [Substring: Substring] = [:]
        var samples: Set<Substring> = []
        for line in lines where line != "# EOF" {
            let words = line.split(separator: " ", maxSplits: 3)
            if line.hasPrefix("# HELP ") { #expect(help.insert(words[2]).inserted && words.count == 4) }
            if line.hasPrefix("# TYPE ") { #expect(types.updateValue(words[3], forKey: words[2]) == nil) }
            guard !line.hasPrefix("#") else { continue }
            let labelled = line[..<(line.lastIndex(of: " ") ?? line.endIndex)]
            #expect(samples.insert(labelled).inserted, "\(line)")
            let name = labelled.prefix { $0 != "{" }
            let isKnown = types.keys.contains { name == $0 || name.hasPrefix($0 + "_") }
            #expect(isKnown, "\(line)")
            if format == .text, name.hasSuffix("_total") { #expect(types[name] == "counter") }
        }
        #expect(Set(types.keys) == help)
        #expect(lines.contains("# EOF") == (format == .openMetrics))
        #expect(lines.contains { $0.hasPrefix("# UNIT ") } == (format == .openMetrics))
    }

    @Test(arguments: [
        (nil, MetricsRegistry.Format.openMetrics), ("*/*", .openMetrics), ("text/plain", .text),
        ("text/plain;version=0.0.4", .text), ("application/openmetrics-text", .openMetrics),
        (
            "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
                + "text/plain;version=0.0.4;q=0.3,*/*;q=0.1", .openMetrics
        ),
        ("text/plain;version=0.0.4;q=1,*/*;q=0.1", .text), ("text/html,*/*;q=0.8", .openMetrics),
        ("application/openmetrics-text;q=0, text/*", .text), ("text/plain;q=0", .openMetrics),
        ("TEXT/Plain ; Q=0.9 , application/openmetrics-text ; q=0.1", .text),
        ("text/plain;q=x", .openMetrics),
        ("application/json", .openMetrics), ("", .openMetrics),
    ])
    func `the format is the one that Accept prefers`(accept: String?, expected: MetricsRegistry.Format) throws
    {
        let head = try RequestHead(
            method: .get, target: "/metrics", fields: accept.map { [("Accept", $0)] } ?? [])
        #expect(MetricsRegistry.format(for: head) == expected)
    }

    @Test func `a running server's tables and issuers are measured`() async throws {
        let issuer = TestIssuer("https://login.example.com")
        let notes = ProtectedResource(
            "https://api.example.com/notes", trusting: issuer.trusted, dpop: .accepted)
        let metrics = MetricsRegistry()
        try await withServer(
            .init(metrics: metrics), { $0.protect(notes) { $0.get("/") { _, _ in .ok } } }
        ) { server in
            _ = try await server.get(
                "/notes", "Authorization: Bearer \(issuer.mint(audience: "https://api.example.com/notes"))")
            let text = metrics.openMetricsText
            let owner = #"owner="https://api.example.com/notes"} "#
            #expect(text.contains(#"portcullis_table_entries{table="verified_tokens",\#(owner)1\#n"#))
            #expect(text.contains(#"portcullis_table_capacity{table="verified_tokens",\#(owner)10000\#n"#))
            #expect(text.contains(#"portcullis_table_capacity{table="dpop_proofs",\#(owner)1000000\#n"#))
            #expect(text.contains("portcullis_connections_limit 10000\n"))
        }
        #expect(!metrics.openMetricsText.contains("portcullis_table_entries{"))
    }
}
