// SPDX-License-Identifier: MIT

import PortcullisCommand
import PortcullisJOSE
import Testing

@Suite("SARIF reports")
struct ReportSARIFTests {
    private static let subject = "https://api.example.com/mcp"

    /// The only run of a document with these reports.
    static func run(
        _ reports: [CheckReport], upTo count: Int = ReportSARIF.maximumResultCount
    ) throws -> JSONObject {
        let bytes = Array(ReportSARIF.text(reports, upTo: count).utf8)
        let document = try #require(try JSONValue.parse(bytes).object)
        #expect(document["version"] == "2.1.0")
        let runs = try #require(document["runs"]?.array)
        #expect(runs.count == 1)
        return try #require(runs.first?.object)
    }

    private static func report(_ findings: Finding...) -> CheckReport {
        var report = CheckReport(subject: subject)
        report.findings = findings
        return report
    }

    @Test func `CHK-01: an empty report has a driver and an empty array of results`() throws {
        let run = try Self.run([Self.report()])
        #expect(run["results"]?.array == [])
        #expect(run["tool"]?.object?["driver"]?.object?["name"] == "portcullis check")
        #expect(run["invocations"]?.array?.first?.object?["executionSuccessful"] == true)
    }

    @Test func `CHK-02: levels are those of the schema, and correct answers are left out`() throws {
        let run = try Self.run([
            Self.report(
                Finding(.pass, "challenge.status", "a"), Finding(.note, "metadata.etag", "b"),
                Finding(.warn, "metadata.cache", "c"), Finding(.fail, "metadata.status", "d"))
        ])
        let results = try #require(run["results"]?.array).compactMap(\.object)
        #expect(results.map { $0["level"] } == ["note", "warning", "error"])
        #expect(results.map { $0["ruleId"] } == ["metadata.etag", "metadata.cache", "metadata.status"])
        let rules = try #require(run["tool"]?.object?["driver"]?.object?["rules"]?.array)
        for result in results {
            let index = try #require(result["ruleIndex"]?.number?.integer)
            #expect(rules[index].object?["id"] == result["ruleId"])
            #expect(result["message"]?.object?["text"]?.string?.isEmpty == false)
        }
    }

    @Test func `CHK-03: each rule has a sentence, a clause's URL and a level`() throws {
        let run = try Self.run([])
        let rules = try #require(run["tool"]?.object?["driver"]?.object?["rules"]?.array).compactMap(\.object)
        #expect(rules.count == CheckRule.all.count)
        for rule in rules {
            #expect(rule["shortDescription"]?.object?["text"]?.string?.hasSuffix(".") == true)
            #expect(rule["helpUri"]?.string?.hasPrefix("https://") == true)
            let level = rule["defaultConfiguration"]?.object?["level"]?.string
            #expect(["note", "warning", "error"].contains(level))
        }
    }

    @Test func `CHK-04: a finding is at the line that names its URL`() throws {
        var report = Self.report(Finding(.warn, "metadata.cache", "c"))
        report.anchor = SourceAnchor(file: "./ci/my resources.txt", line: 3)
        let location = try #require(
            try Self.run([report])["results"]?.array?.first?.object?["locations"]?.array?.first?.object)
        let physical = try #require(location["physicalLocation"]?.object)
        #expect(
            physical["artifactLocation"]?.object == [
                "uri": "ci/my%20resources.txt", "uriBaseId": "%SRCROOT%",
            ])
        #expect(physical["region"]?.object?["startLine"]?.number?.integer == 3)
        let logical = try #require(location["logicalLocations"]?.array?.first?.object)
        #expect(logical == ["fullyQualifiedName": .string(Self.subject), "kind": "resource"])
    }

    @Test func `CHK-05: fingerprints depend on subject, code and other party only`() throws {
        let finding = Finding(.warn, "server.pkce", "any words", about: "https://as.example.com")
        #expect(finding.fingerprint(of: Self.subject) == "3a7a7d99c39b46b28f50c87852958c5c")
        let other = Finding(.fail, "server.pkce", "other words", about: "https://as.example.com")
        #expect(other.fingerprint(of: Self.subject) == finding.fingerprint(of: Self.subject))
        let result = try #require(try Self.run([Self.report(finding)])["results"]?.array?.first?.object)
        #expect(
            result["partialFingerprints"]?.object == [
                "portcullisFinding/v1": "3a7a7d99c39b46b28f50c87852958c5c"
            ])
    }

    @Test func `CHK-06: what could not be checked is a notification, not a result`() throws {
        var report = CheckReport(subject: Self.subject)
        report.trouble = "The host can't be reached."
        let run = try Self.run([report])
        #expect(run["results"]?.array == [])
        let invocation = try #require(run["invocations"]?.array?.first?.object)
        #expect(invocation["executionSuccessful"] == false)
        #expect(invocation["exitCode"]?.number?.integer == 2)
        let notice = try #require(invocation["toolExecutionNotifications"]?.array?.first?.object)
        #expect(notice["level"] == "error")
        #expect(notice["message"]?.object?["text"]?.string?.contains("can't be reached") == true)
    }

    @Test func `CHK-07: of too many findings the gravest stay, and a note counts the others`() throws {
        var report = Self.report()
        report.findings = (0..<300).map { index in
            index < 290
                ? Finding(.note, "metadata.etag", "n\(index)")
                : Finding(.fail, "metadata.status", "f\(index)")
        }
        let run = try Self.run([report], upTo: 250)
        let results = try #require(run["results"]?.array).compactMap(\.object)
        #expect(ReportSARIF.maximumResultCount == 25_000)
        #expect(results.count == 250)
        #expect(results.count { $0["level"] == "error" } == 10)
        let invocation = try #require(run["invocations"]?.array?.first?.object)
        #expect(invocation["executionSuccessful"] == true)
        let notice = try #require(invocation["toolExecutionNotifications"]?.array?.first?.object)
        #expect(notice["message"]?.object?["text"]?.string?.hasPrefix("50 findings") == true)
        #expect(run["automationDetails"]?.object?["id"] == "portcullis-check/")
    }

    @Test func `CHK-12: a suppressed finding names its reason`() throws {
        var finding = Finding(.fail, "metadata.status", "d")
        finding.suppression = "The new document comes on Monday."
        let result = try #require(try Self.run([Self.report(finding)])["results"]?.array?.first?.object)
        #expect(
            result["suppressions"]?.array?.first?.object == [
                "kind": "external", "justification": "The new document comes on Monday.",
            ])
    }

    @Test(arguments: [
        ("ci/urls.txt", "ci/urls.txt", 1), ("ci/urls.txt:7", "ci/urls.txt", 7), ("a:b", "a:b", 1),
        ("7", "7", 1),
    ])
    func `an anchor is a file with or without a line`(text: String, file: String, line: Int) {
        #expect(SourceAnchor(text) == SourceAnchor(file: file, line: line))
    }

    @Test(arguments: ["", ":3", "a:0"])
    func `an anchor needs a file and a line from 1`(text: String) {
        #expect(SourceAnchor(text) == nil)
    }
}
