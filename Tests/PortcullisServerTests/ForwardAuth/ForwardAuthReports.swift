// SPDX-License-Identifier: MIT

import Foundation
import Portcullis
import PortcullisServer
import PortcullisTesting
import Synchronization
import Testing

@Suite("Access log and metrics of the forward-auth endpoint", .timeLimit(.minutes(1)))
struct ForwardAuthReports {
    private final class Summaries: ServerMetrics, ServerMetricsRecorder {
        private let kept = Mutex<[RequestSummary]>([])

        var summaries: [RequestSummary] { kept.withLock { $0 } }

        func makeRecorder(loop: Int) -> any ServerMetricsRecorder { self }

        func record(_ event: ServerEvent) {
            if case .requestFinished(let summary) = event { kept.withLock { $0.append(summary) } }
        }
    }

    private static func report(
        _ family: ForwardAuthFamily, _ format: AccessLog.Format,
        _ test: (ForwardAuthStage) async throws -> Void
    ) async throws -> (lines: [String], summaries: [RequestSummary]) {
        let folder = try TemporaryFolder()
        let path = folder.path + "/access.log"
        let log = try AccessLog.file(path, format)
        let metrics = Summaries()
        try await ForwardAuthStage.run(family, .init(configure: { $0.accessLog = log }, metrics: metrics)) {
            try await test($0)
        }
        await log.flush()
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
        return (lines, metrics.summaries)
    }

    @Test func `a line says what was decided for which told path, without its query`() async throws {
        let report = try await Self.report(.nginx, .json) { stage async throws in
            _ = try await stage.ask("/mcp?access_token=s3cret", "POST")
            _ = try await stage.ask("/public/a?b=s3cret")
            _ = try await stage.ask("/public/../mcp?s3cret", "PUT")
            _ = try await stage.ask("https://api.example.com/public/a?s3cret")
            _ = try await stage.ask("/unknown")
            _ = try await stage.askWith("X-Original-URI: /a?s3cret")
            _ = try await stage.server.get("/mcp?s3cret")
        }
        let expected = [
            "\"method\":\"POST\",\"path\":\"/mcp\",\"status\":401",
            "\"method\":\"GET\",\"path\":\"/public/a\",\"status\":200",
            "\"method\":\"PUT\",\"path\":\"/public/../mcp\",\"status\":403",
            "\"method\":\"GET\",\"path\":\"/public/a\",\"status\":403",
            "\"method\":\"GET\",\"path\":\"/unknown\",\"status\":403",
            "\"method\":\"GET\",\"path\":\"/_auth\",\"status\":403",
            "\"method\":\"GET\",\"path\":\"/mcp\",\"status\":401",
        ]
        #expect(report.lines.count == expected.count)
        for (line, text) in zip(report.lines, expected) { #expect(line.contains(text), "\(line)") }
        #expect(!report.lines.joined().contains("s3cret"))
        let asked = report.lines.map { $0.contains("\"forward_auth\":\"/_auth\"") }
        #expect(asked == [true, true, true, true, true, true, false])
        let refusals = [
            "missingCredentials", "null", "ambiguousPath", "invalidTarget", "null", "invalidForwardAuth",
        ]
        for (line, refusal) in zip(report.lines, refusals) {
            let value = refusal == "null" ? refusal : "\"\(refusal)\""
            #expect(line.contains("\"refusal\":\(value)"), "\(line)")
        }
        #expect(report.lines[0].contains("\"resource\":\"https://api.example.com/mcp\""))
        #expect(report.lines[1].contains("\"route\":\"/public/{rest...}\""))
        #expect(report.summaries.map(\.method.name) == ["POST", "GET", "PUT", "GET", "GET", "GET", "GET"])
        #expect(
            report.summaries.map(\.route) == [
                "/mcp", "/public/{rest...}", "forward auth", "forward auth", "not found", "forward auth",
                "/mcp",
            ])
    }

    @Test func `the text line has the same`() async throws {
        let report = try await Self.report(.envoy, .text) { stage async throws in
            _ = try await stage.ask("/mcp?s3cret", "DELETE")
        }
        #expect(report.lines.count == 1)
        #expect(report.lines[0].contains("\"DELETE /mcp HTTP/1.1\" 401"))
        #expect(report.lines[0].contains(" forward_auth=/_auth refusal=missingCredentials"))
        #expect(!report.lines[0].contains("s3cret"))
    }
}
