// SPDX-License-Identifier: MIT

import Foundation
import PortcullisCommand
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// Counts the elements of a document, and keeps the attributes of the first of each name.
private final class ElementCounter: NSObject, XMLParserDelegate {
    var counts: [String: Int] = [:]
    var attributes: [String: [String: String]] = [:]
    var text = ""

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
        qualifiedName: String?, attributes: [String: String] = [:]
    ) {
        counts[name, default: 0] += 1
        if self.attributes[name] == nil { self.attributes[name] = attributes }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

    static func parse(_ text: String) throws -> ElementCounter {
        let counter = ElementCounter()
        let parser = XMLParser(data: Data(text.utf8))
        parser.delegate = counter
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        return counter
    }
}

@Suite("JUnit, annotations, HTML and JSON")
struct ReportFormatTests {
    static let time = ReportTime(secondsSince1970: 1_796_139_114)
    static let hostile = "a]]> <b>&\"'\u{0}\u{1B}[31m\u{FFFE}\r\n::set-output name=x::y"

    /// Two reports: one with a finding of each level and hostile text, one that could not be checked.
    static func reports(failsOnWarnings: Bool = false) -> [CheckReport] {
        var report = CheckReport(subject: "https://api.example.com/\(hostile)")
        report.findings = [
            Finding(.pass, "challenge.status", "Good."), Finding(.note, "metadata.etag", "Note."),
            Finding(.warn, "metadata.cache", "Warned \(hostile)"),
            Finding(
                .fail, "metadata.status", "Failed \(hostile)",
                exchange: Exchange(sent: "GET \(hostile)", received: "500")),
            Finding(.fail, "metadata.status", "Failed again."),
        ]
        report.duration = .milliseconds(1234)
        report.failsOnWarnings = failsOnWarnings
        var trouble = CheckReport(subject: "https://gone.example")
        trouble.trouble = "No answer \(hostile)"
        return [report, trouble]
    }

    @Test func `CHK-09: the JUnit counts add up, and hostile text stays text`() throws {
        let counter = try ElementCounter.parse(ReportJUnit.text(Self.reports(), at: Self.time))
        #expect(counter.counts["testsuite"] == 2)
        #expect(counter.counts["testcase"] == 5)
        #expect(counter.counts["failure"] == 1)
        #expect(counter.counts["error"] == 1)
        #expect(counter.counts["b"] == nil)
        let all = try #require(counter.attributes["testsuites"])
        #expect(all["tests"] == "5" && all["failures"] == "1" && all["errors"] == "1")
        #expect(all["time"] == "1.234")
        #expect(counter.attributes["testsuite"]?["timestamp"] == "2026-12-01T15:31:54")
        #expect(counter.attributes["testcase"]?["name"] == "challenge.status")
        #expect(counter.text.contains("]]> <b>&\"'"))
        #expect(counter.text.contains("Failed again."))
    }

    @Test func `CHK-09: a warning is a failure only with --fail-on warn`() throws {
        let counter = try ElementCounter.parse(
            ReportJUnit.text(Self.reports(failsOnWarnings: true), at: Self.time))
        #expect(counter.counts["failure"] == 2)
        #expect(counter.attributes["testsuites"]?["failures"] == "2")
    }

    @Test func `CHK-09: a suppressed failure is skipped`() throws {
        var report = Self.reports()[0]
        report.findings = [Finding(.fail, "metadata.status", "d")]
        report.findings[0].suppression = "Known."
        let counter = try ElementCounter.parse(ReportJUnit.text([report], at: Self.time))
        #expect(counter.counts["failure"] == nil)
        #expect(counter.attributes["skipped"]?["message"] == "Known.")
        #expect(counter.attributes["testsuites"]?["skipped"] == "1")
    }

    @Test func `CHK-08: text of a server cannot start a command`() {
        var reports = Self.reports()
        reports[0].anchor = SourceAnchor(file: "ci/a,b:c.txt", line: 3)
        let text = ReportAnnotations.text(reports)
        let lines = text.split(separator: "\n")
        #expect(lines.count == 5)
        #expect(!text.contains("\r"))
        #expect(
            lines.allSatisfy {
                $0.hasPrefix("::error ") || $0.hasPrefix("::warning ") || $0.hasPrefix("::notice ")
            })
        #expect(lines[0].hasPrefix("::error file=ci/a%2Cb%3Ac.txt,line=3,title=metadata.status::"))
        #expect(lines[0].contains("%0D%0A::set-output"))
        #expect(lines.last?.hasPrefix("::error title=could not check::https://gone.example: ") == true)
    }

    @Test
    func `the annotations of warnings are errors with --fail-on warn, and suppressed ones are left out`() {
        var report = Self.reports(failsOnWarnings: true)[0]
        #expect(!ReportAnnotations.text([report]).contains("::warning"))
        for index in report.findings.indices { report.findings[index].suppression = "Known." }
        #expect(ReportAnnotations.text([report]) == "")
    }

    @Test func `the HTML is one page without scripts and outside assets`() throws {
        let text = ReportHTML.text(Self.reports(), at: Self.time)
        #expect(!text.contains("<script") && !text.contains("src=") && !text.contains("@import"))
        #expect(!text.contains("url(") && !text.contains("<link") && !text.contains("<b>"))
        #expect(text.contains("<html lang=\"en\">") && text.contains("<main>") && text.contains("<caption>"))
        #expect(text.contains("scope=\"row\"") && text.contains("@media print"))
        #expect(text.contains("https://www.rfc-editor.org/rfc/rfc9728#section-3.2"))
        #expect(text.contains("&lt;b&gt;&amp;&quot;&#39;\\u{0}\\u{1b}[31m"))
        #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
        // Every element is closed: but for the head's void elements the page is XML.
        let body = try #require(text.range(of: "<body>"))
        _ = try ElementCounter.parse(String(text[body.lowerBound...].dropLast("</html>\n".count)))
    }

    @Test func `CHK-11: JSON members are only added`() {
        let text = ReportJSON.text(Self.reports())
        #expect(text.contains(#"{"level":"pass","code":"challenge.status","text":"Good."}"#))
        #expect(
            text.contains(
                #""clause":"RFC 9728 §3.2","sent":"GET a]]> <b>&\"'\\u{0}\\u{1b}[31m\\u{fffe}\\u{d}"#))
        #expect(text.contains(#""received":"500","client":"#))
    }

    @Test func `the text of reports is that of each with the counts behind them`() {
        let text = ReportFormat.text.text(Self.reports(), at: Self.time)
        #expect(text.hasSuffix("2 resources: 0 pass, 1 fail, 1 unchecked\n"))
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00"), (951_782_399, "2000-02-28T23:59:59"),
        (4_102_444_800, "2100-01-01T00:00:00"),
    ])
    func `times are in UTC`(seconds: Int, text: String) {
        #expect(ReportTime(secondsSince1970: seconds).text == text)
    }
}
