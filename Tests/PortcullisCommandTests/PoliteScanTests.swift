// SPDX-License-Identifier: MIT

import Foundation
import Portcullis
import PortcullisCommand
import PortcullisHTTP
import PortcullisTesting
import Synchronization
import Testing

@Suite("Polite scans of many resources")
struct PoliteScanTests {
    private static func targets(_ text: String) throws -> [CheckTarget] {
        try CheckTarget.list(Array(text.utf8), in: "urls.txt")
    }

    @Test func `a file of targets has a URL a line, with its line for the reports`() throws {
        let text =
            "# ours\n\nhttps://a.example/x \r\n  https://b.example\nhttps://a.example/x\n#https://c.example"
        let targets = try Self.targets(text)
        #expect(targets.map(\.url) == ["https://a.example/x", "https://b.example"])
        #expect(targets.map(\.anchor) == [3, 4].map { SourceAnchor(file: "urls.txt", line: $0) })
        #expect(throws: Misuse.self) { try Self.targets("# nothing\n") }
        let three = Array("https://a.example\nhttps://b.example\nhttps://c.example".utf8)
        #expect(try CheckTarget.list(three, in: "urls.txt", upTo: 3).count == 3)
        #expect(throws: Misuse.self) { try CheckTarget.list(three, in: "urls.txt", upTo: 2) }
        #expect(CheckTarget.maximumCount == 100_000)
    }

    @Test func `each host gets one request at a time`() async throws {
        let state = Mutex((running: [String: Int](), most: 0, together: 0))
        let network = ScriptedFetcher()
        let urls = (0..<4).flatMap { host in (0..<5).map { "https://h\(host).example/\($0)" } }
        for url in urls {
            let host = String(url.prefix { $0 != "e" })
            network.on(url) { _ in
                state.withLock { state in
                    state.running[host, default: 0] += 1
                    state.most = max(state.most, state.running[host] ?? 0)
                    state.together = max(state.together, state.running.values.reduce(0, +))
                }
                for _ in 0..<20 { await Task.yield() }
                state.withLock { $0.running[host, default: 0] -= 1 }
                return FetchResponse(status: .ok)
            }
        }
        let fetcher = PoliteFetcher(network)
        await withTaskGroup(of: Void.self) { group in
            for url in urls { group.addTask { _ = try? await fetcher.fetch(FetchRequest(url: url)) } }
        }
        #expect(network.requests.count == 20)
        #expect(state.withLock { $0.most } == 1)
        #expect(state.withLock { $0.together } > 1)
    }

    @Test(arguments: [
        (429, "7", 7.0), (503, "0", 0), (503, "Tue, 01 Dec 2026 15:32:04 GMT", 10),
        (503, "Tue, 01 Dec 2026 15:31:00 GMT", 0), (503, "31", nil), (503, "soon", nil), (500, "7", nil),
    ])
    func `Retry-After is honoured once, up to its limit`(status: Int, value: String, seconds: Double?)
        async throws
    {
        let network = ScriptedFetcher()
        let url = "https://h.example/"
        let count = Mutex(0)
        network.on(url) { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            return number == 1
                ? FetchResponse(status: Status(code: status), fields: [.retryAfter: value])
                : FetchResponse(status: .ok)
        }
        let pauses = Mutex<[Duration]>([])
        let clock = ManualClock(at: 1_796_139_114)
        let fetcher = PoliteFetcher(network, time: clock.time) { pause in pauses.withLock { $0.append(pause) }
        }
        let response = try await fetcher.fetch(FetchRequest(url: url))
        #expect(pauses.withLock { $0 } == (seconds.map { [.seconds($0)] } ?? []))
        #expect(response.status == (seconds == nil ? Status(code: status) : .ok))
        #expect(PoliteFetcher.maximumDelay == .seconds(30))
    }

    @Test func `targets of one host are checked one after another, others meanwhile`() async {
        let state = Mutex((running: [String: Int](), most: 0))
        let scan = CheckScan(
            concurrency: 8, showsProgress: false, isPolite: true, console: Transcript().console()
        ) { url in
            let host = String(url.dropLast(2))
            state.withLock { state in
                state.running[host, default: 0] += 1
                state.most = max(state.most, state.running[host] ?? 0)
            }
            for _ in 0..<20 { await Task.yield() }
            state.withLock { $0.running[host, default: 0] -= 1 }
            return CheckReport(subject: url)
        }
        let urls = (0..<30).map { "https://h\($0 % 3).example/\($0 % 10)" }
        let reports = await scan.reports(on: urls)
        #expect(reports.map(\.subject) == urls)
        #expect(state.withLock { $0.most } == 1)
    }

    @Test func `a target that takes too long is unchecked, and the scan goes on`() async {
        let transcript = Transcript()
        let scan = CheckScan(
            concurrency: 2, showsProgress: true, isPolite: true, targetTimeout: .seconds(1),
            console: transcript.console()
        ) { url in
            if url.contains("slow") { try? await Task.sleep(for: .seconds(600)) }
            return CheckReport(subject: url)
        }
        let reports = await scan.reports(on: [
            "https://slow.example", "https://a.example", "https://b.example",
        ])
        #expect(reports.map(\.outcome) == [.trouble, .success, .success])
        #expect(reports[0].trouble == "The check did not end within 1 seconds.")
        #expect(reports[0].duration >= .seconds(1))
        #expect(transcript.errors.contains("s left)"))
    }

    @Test func `a scan is resumed where it ended`() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let calls = Mutex<[String]>([])
        @Sendable func check(_ url: String) -> CheckReport {
            calls.withLock { $0.append(url) }
            var report = CheckReport(subject: url)
            if url.contains("gone") { report.trouble = "no answer" }
            report.findings = [
                Finding(.pass, "challenge.status", "p"),
                Finding(
                    .fail, "server.pkce", "f", about: "https://as.example",
                    exchange: Exchange(sent: "GET /", received: "200")),
            ]
            report.resource = url
            return report
        }
        func scan(_ urls: [String]) async throws -> [CheckReport] {
            let scan = CheckScan(
                concurrency: 1, showsProgress: false, isPolite: true, journal: try ScanJournal(path: path),
                console: Transcript().console()
            ) { check($0) }
            return await scan.reports(on: urls)
        }
        let first = try await scan(["https://a.example", "https://gone.example"])
        // The second scan was cut off in the middle of a line.
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(#"{"subject":"https://b.exam"#.utf8))
        try handle.close()
        let all = ["https://a.example", "https://gone.example", "https://b.example"]
        for _ in 0..<2 {
            let second = try await scan(all)
            #expect(second.map(\.subject) == all)
            #expect(second[0].findings == first[0].findings && second[0].resource == first[0].resource)
        }
        #expect(
            calls.withLock { $0 } == [
                "https://a.example", "https://gone.example", "https://gone.example", "https://b.example",
                "https://gone.example",
            ])
    }

    @Test func `a file that is no journal is an error`() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("https://a.example\nhttps://b.example\n".utf8).write(to: URL(filePath: path))
        #expect(throws: Misuse.self) { try ScanJournal(path: path) }
        #expect(throws: Misuse.self) { try ScanJournal(path: "/nowhere/at/all") }
        let transcript = Transcript()
        #expect(await transcript.run("check", "--targets", "/nowhere.txt") == .trouble)
        #expect(transcript.errors.contains("the file /nowhere.txt cannot be opened"))
        #expect(await transcript.run("check", "--targets", path, "--sarif-anchor", "a:1") == .trouble)
    }

    @Test func `the table names the gravest resources first`() async {
        func report(_ name: String, _ levels: Finding.Level..., trouble: String? = nil) -> CheckReport {
            var report = CheckReport(subject: name)
            report.findings = levels.map { Finding($0, "metadata.status", "t") }
            report.trouble = trouble
            return report
        }
        let reports = [
            report("good", .pass), report("gone", trouble: "no"), report("warned", .warn, .note),
            report("bad", .fail), report("worse", .fail, .fail, .warn), report("noted", .note),
        ]
        let time = ReportTime(secondsSince1970: 0)
        let lines = ReportFormat.text.text(reports, at: time, hasTable: true).split(separator: "\n").suffix(7)
        #expect(lines.first == "result     failures  warnings  notes  resource")
        #expect(
            lines.dropFirst().map { $0.split(separator: " ").last } == [
                "worse", "bad", "gone", "warned", "noted", "good",
            ])
        #expect(!ReportFormat.text.text(reports, at: time).contains("failures  warnings"))
    }
}
