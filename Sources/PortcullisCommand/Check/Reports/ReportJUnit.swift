// SPDX-License-Identifier: MIT

/// Writes reports as JUnit XML, as Jenkins and GitLab read it: a suite for each subject, a case for each code.
package enum ReportJUnit {
    /// One document.
    package static func text(_ reports: [CheckReport], at time: ReportTime) -> String {
        let suites = reports.map { Suite($0) }
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        text += "<testsuites name=\"portcullis check\" \(Suite.counts(suites))>\n"
        for suite in suites { text += suite.text(at: time) }
        return text + "</testsuites>\n"
    }

    private struct Suite {
        let report: CheckReport
        /// The findings by code, in the order of their first ones.
        var cases: [(code: String, findings: [Finding])] = []

        init(_ report: CheckReport) {
            self.report = report
            for finding in report.findings {
                if let index = cases.firstIndex(where: { $0.code == finding.code }) {
                    cases[index].findings.append(finding)
                } else {
                    cases.append((finding.code, [finding]))
                }
            }
        }

        var testCount: Int { cases.count + (report.trouble == nil ? 0 : 1) }
        var failureCount: Int { cases.count { $0.findings.contains(where: report.isFailure) } }
        var errorCount: Int { report.trouble == nil ? 0 : 1 }
        var skippedCount: Int { cases.count { isSkipped($0.findings) } }

        static func counts(_ suites: [Suite]) -> String {
            func sum(_ count: (Suite) -> Int) -> Int { suites.reduce(0) { $0 + count($1) } }
            let time = suites.reduce(Duration.zero) { $0 + $1.report.duration }
            return "tests=\"\(sum(\.testCount))\" failures=\"\(sum(\.failureCount))\" "
                + "errors=\"\(sum(\.errorCount))\" skipped=\"\(sum(\.skippedCount))\" "
                + "time=\"\(seconds(time))\""
        }

        private static func seconds(_ time: Duration) -> String {
            let milliseconds =
                time.components.seconds * 1000 + time.components.attoseconds / 1_000_000_000_000_000
            let rest = String(1000 + milliseconds % 1000).dropFirst()
            return "\(milliseconds / 1000).\(rest)"
        }

        /// Whether a suppression is all that keeps a case from failing.
        private func isSkipped(_ findings: [Finding]) -> Bool {
            !findings.contains(where: report.isFailure) && findings.contains { $0.suppression != nil }
        }

        func text(at time: ReportTime) -> String {
            let name = MarkupText.escaped(report.subject)
            var text = "  <testsuite name=\"\(name)\" \(Self.counts([self])) timestamp=\"\(time.text)\">\n"
            if let trouble = report.trouble {
                text +=
                    "    <testcase classname=\"\(name)\" name=\"check\" time=\"\(Self.seconds(report.duration))\">"
                text += "<error message=\"\(MarkupText.escaped(trouble))\" type=\"unchecked\"/></testcase>\n"
            }
            for entry in cases {
                let code = MarkupText.escaped(entry.code)
                text += "    <testcase classname=\"\(name)\" name=\"\(code)\" time=\"0.000\">"
                text += content(entry.code, entry.findings) + "</testcase>\n"
            }
            return text + "  </testsuite>\n"
        }

        private func content(_ code: String, _ findings: [Finding]) -> String {
            let failures = findings.filter(report.isFailure)
            var text = ""
            if let first = failures.first {
                let lines = failures.map { Self.lines($0) }.joined(separator: "\n")
                text +=
                    "<failure message=\"\(MarkupText.escaped(first.text))\" type=\"\(first.level.rawValue)\">"
                    + MarkupText.escaped(lines) + "</failure>"
            } else if isSkipped(findings), let reason = findings.compactMap(\.suppression).first {
                text += "<skipped message=\"\(MarkupText.escaped(reason))\"/>"
            }
            let others = findings.filter { !report.isFailure($0) && $0.level != .pass }
            if !others.isEmpty {
                let lines = others.map { "\($0.level.rawValue): \($0.text)" }.joined(separator: "\n")
                text += "<system-out>\(MarkupText.escaped(lines))</system-out>"
            }
            return text
        }

        private static func lines(_ finding: Finding) -> String {
            var lines = [finding.text]
            if let exchange = finding.exchange {
                lines += ["sent: \(exchange.sent)", "received: \(exchange.received)"]
            }
            let rule = finding.rule
            lines += ["client: \(rule.consequence)", "mend: \(rule.remedy)", "clause: \(rule.clause)"]
            return lines.joined(separator: "\n")
        }
    }
}
