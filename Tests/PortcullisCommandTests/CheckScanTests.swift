// SPDX-License-Identifier: MIT

import PortcullisCommand
import PortcullisJOSE
import Synchronization
import Testing

@Suite("Checking many resources")
struct CheckScanTests {
    @Test func `checks run concurrently up to the bound, and reports keep the order`() async {
        let state = Mutex((running: 0, most: 0))
        let transcript = Transcript()
        let scan = CheckScan(concurrency: 7, showsProgress: true, console: transcript.console()) { url in
            state.withLock { state in
                state.running += 1
                state.most = max(state.most, state.running)
            }
            for _ in 0..<20 { await Task.yield() }
            state.withLock { $0.running -= 1 }
            return CheckReport(subject: url)
        }
        let urls = (0..<100).map { "https://r\($0).example" }
        let reports = await scan.reports(on: urls)
        #expect(reports.map(\.subject) == urls)
        #expect(state.withLock { $0.most } <= 7)
        #expect(transcript.errors.split(separator: "\n").count == 100)
        #expect(transcript.errors.contains("[100/100] pass https://r"))
    }

    @Test func `a slow resource takes one place while all others finish`() async {
        let (ended, gate) = AsyncStream<Void>.makeStream()
        let count = Mutex(0)
        let scan = CheckScan(concurrency: 2, showsProgress: false, console: Transcript().console()) { url in
            if url == "slow" {
                for await _ in ended { break }
            } else if count.withLock({ count in
                count += 1
                return count == 99
            }) {
                gate.yield()
            }
            return CheckReport(subject: url)
        }
        let reports = await scan.reports(on: ["slow"] + (1..<100).map { "\($0)" })
        #expect(reports.count == 100)
    }

    @Test func `on a terminal one line is rewritten`() async {
        let transcript = Transcript()
        let scan = CheckScan(
            concurrency: 2, showsProgress: true, console: transcript.console(isErrorTerminal: true)
        ) { CheckReport(subject: $0) }
        _ = await scan.reports(on: ["https://a.example", "https://b.example"])
        #expect(!transcript.errors.contains("\n"))
        #expect(transcript.errors.hasSuffix("\r\u{1B}[K"))
    }
}

@Suite("Reports")
struct ReportTests {
    static func report() -> CheckReport {
        var report = CheckReport(subject: "https://h/\u{1B}[31m")
        report.findings = [
            Finding(.pass, "challenge.status", "Good."),
            Finding(.warn, "metadata.member", "Bad\u{7}\u{202E}."),
        ]
        report.readiness = Readiness(document: ["authorization_servers": ["https://as"]])
        report.resource = "https://h/\u{1B}[31m"
        return report
    }

    @Test func `no control character from the network reaches the terminal`() {
        let text = ReportText(hasColours: false).text(Self.report())
        #expect(!text.unicodeScalars.contains { $0.value == 0x1B || $0.value == 7 || $0.value == 0x202E })
        #expect(text.contains(#"https://h/\u{1b}[31m"#))
        #expect(text.contains("pass, agent-readiness 1.0 of 1.0, 1 warning, 0 failures"))
    }

    @Test func `colours are on only for a terminal`() {
        #expect(ReportText(hasColours: true).text(Self.report()).contains("\u{1B}[32mok"))
        #expect(!ReportText(hasColours: false).text(Self.report()).contains("\u{1B}"))
    }

    @Test func `the JSON is strict and complete`() throws {
        var trouble = CheckReport(subject: "x")
        trouble.trouble = "no answer"
        let text = ReportJSON.text([Self.report(), trouble])
        let json = try #require(try JSONValue.parse(Array(text.utf8)).object)
        let first = try #require(json["reports"]?.array?.first?.object)
        #expect(first["result"] == "pass")
        #expect(first["readiness"]?.object?["score"]?.number?.double == 1)
        #expect(first["findings"]?.array?.count == 2)
        #expect(first["findings"]?.array?.first?.object?["code"] == "challenge.status")
        #expect(json["reports"]?.array?.last?.object?["trouble"] == "no answer")
        #expect(json["summary"]?.object == ["pass": 1, "fail": 0, "unchecked": 1])
    }
}

@Suite("portcullis check --file")
struct LintTests {
    let transcript = Transcript()

    @Test(arguments: Fixture.names(in: "metadata/accepted"))
    func `documents that RFC 9728 allows pass`(name: String) async {
        #expect(
            await transcript.run("check", "--file", Fixture.path("metadata/accepted/\(name)")) == .success)
    }

    @Test(arguments: Fixture.names(in: "metadata/refused"))
    func `documents that RFC 9728 forbids fail, with the member's path`(name: String) async {
        #expect(await transcript.run("check", "--file", Fixture.path("metadata/refused/\(name)")) == .failure)
        #expect(transcript.output.contains("FAIL"))
    }

    @Test func `the JSON has the score`() async throws {
        let path = Fixture.path("metadata/warn-no-authz.json")
        #expect(await transcript.run("check", "--json", "--file", path) == .success)
        let json = try #require(try JSONValue.parse(Array(transcript.output.utf8)).object)
        let report = try #require(json["reports"]?.array?.first?.object)
        #expect(report["readiness"]?.object?["score"]?.number?.double == 0.3)
        #expect(report["readiness"]?.object?["result"] == "warn")
    }

    @Test func `an unreadable file exits with 2`() async {
        #expect(await transcript.run("check", "--file", "/nowhere/at/all.json") == .trouble)
        #expect(
            transcript.output.contains("could not check: The file /nowhere/at/all.json cannot be opened: "))
    }
}
