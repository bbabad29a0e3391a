// SPDX-License-Identifier: MIT

import PortcullisCommand
import Testing

@Suite("Suppressed findings")
struct SuppressionTests {
    private static func report(_ list: String, on day: String = "2026-12-01") throws -> CheckReport {
        var report = CheckReport(subject: "https://a.example")
        report.findings = [
            Finding(.pass, "metadata.cache", "p"), Finding(.fail, "metadata.status", "f"),
            Finding(.warn, "metadata.cache", "w"),
        ]
        try Suppressions(Array(list.utf8)).apply(to: &report, on: day)
        return report
    }

    private static func entry(
        _ more: String, code: String = "metadata.status", subject: String = "https://a.example"
    ) -> String {
        #"[{"code": "\#(code)", "subject": "\#(subject)"\#(more)}]"#
    }

    @Test func `CHK-12: an entry with a reason and a later date takes the finding out of the count`() throws {
        for until in ["2026-12-01", "2027-01-01"] {
            let report = try Self.report(Self.entry(#", "reason": "Known.", "until": "\#(until)""#))
            #expect(report.outcome == .success)
            #expect(report.count(of: .fail) == 0)
            #expect(report.findings[1].suppression == "Known.")
            #expect(report.findings.count == 3)
        }
    }

    @Test(arguments: [
        #", "reason": "Known.", "until": "2026-11-30""#, #", "until": "2027-01-01""#,
        #", "reason": "", "until": "2027-01-01""#, #", "reason": "Known.""#,
        #", "reason": "Known.", "until": "tomorrow""#, #", "reason": "Known.", "until": "2027-1-1""#,
    ])
    func `CHK-12: an entry that has ended or lacks its reason does not count, and a warning says so`(
        more: String
    ) throws {
        let report = try Self.report(Self.entry(more))
        #expect(report.outcome == .failure)
        #expect(report.codes(.warn) == ["metadata.cache", "suppression.void"])
    }

    @Test func `an entry of another subject does not apply, and one without a finding is a note`() throws {
        let end = #", "reason": "Known.", "until": "2027-01-01""#
        let other = try Self.report(Self.entry(end, subject: "https://b.example"))
        #expect(other.outcome == .failure && other.findings.count == 3)
        let unused = try Self.report(Self.entry(end, code: "metadata.etag"))
        #expect(unused.codes(.note) == ["suppression.unused"])
    }

    @Test func `--fail-on warn counts warnings that are not suppressed`() throws {
        var report = try Self.report(
            Self.entry(#", "reason": "Known.", "until": "2027-01-01""#))
        #expect(report.outcome == .success)
        report.failsOnWarnings = true
        #expect(report.outcome == .failure)
    }

    @Test(arguments: [
        "", "{}", "[1]", "[{}]", #"[{"code": "metadata.status"}]"#,
        #"[{"code": "no.such", "subject": "https://a.example"}]"#,
        #"[{"code": "metadata.status", "subject": "https://a.example", "untill": "2027-01-01"}]"#,
    ])
    func `another document is an error`(text: String) {
        #expect(throws: Misuse.self) { try Suppressions(Array(text.utf8)) }
    }
}
