// SPDX-License-Identifier: MIT

import PortcullisConfiguration

/// Writes reports as text.
package struct ReportText {
    private let hasColours: Bool

    package init(hasColours: Bool) { self.hasColours = hasColours }

    private static let titles: [Substring: String] = [
        "challenge": "A call without a token", "clients": "Known clients", "metadata": "The metadata",
        "server": "The authorization servers", "probe": "Other requests", "root": "The root document",
        "mcp": "The Model Context Protocol", "transport": "The transport", "disclosure": "Disclosed details",
        "client": "The client's document", "token": "Calls with tokens", "gateway": "Behind the gateway",
        "suppression": "Suppressions",
    ]

    /// The report on one resource.
    package func text(_ report: CheckReport) -> String {
        var text = paint("1", TerminalText.printable(report.subject)) + "\n"
        if let trouble = report.trouble {
            return text + "  " + paint("31", "could not check") + ": \(TerminalText.printable(trouble))\n\n"
        }
        for topic in topics(of: report) {
            text += "\n  \(Self.titles[topic] ?? TerminalText.printable(String(topic)))\n"
            for finding in report.findings where finding.topic == topic { text += line(finding) }
        }
        return text + "\n" + summary(report) + "\n\n"
    }

    private func topics(of report: CheckReport) -> [Substring] {
        var topics: [Substring] = []
        for finding in report.findings where !topics.contains(finding.topic) { topics.append(finding.topic) }
        return topics
    }

    private func line(_ finding: Finding) -> String {
        let (mark, colour) =
            switch finding.level {
            case .pass: ("ok  ", "32")
            case .note: ("note", "36")
            case .warn: ("warn", "33")
            case .fail: ("FAIL", "31")
            }
        let suppression = finding.suppression.map { " [suppressed: \($0)]" } ?? ""
        return "    \(paint(colour, mark))  \(TerminalText.printable(finding.text + suppression))\n"
    }

    private func summary(_ report: CheckReport) -> String {
        let isPass = report.outcome == .success
        var parts = [paint(isPass ? "32" : "31", isPass ? "pass" : "FAIL")]
        if let readiness = report.readiness { parts.append("agent-readiness \(readiness.score) of 1.0") }
        if let root = report.rootReadiness { parts.append("\(root.score) at the root") }
        parts.append(Self.counted(report.count(of: .warn), "warning"))
        parts.append(Self.counted(report.count(of: .fail), "failure"))
        return "  " + parts.joined(separator: ", ")
    }

    /// The counts of several reports.
    func total(_ reports: [CheckReport]) -> String {
        let counts = [Outcome.success, .failure, .trouble].map { outcome in
            "\(reports.count { $0.outcome == outcome }) \(outcome.word)"
        }
        return Self.counted(reports.count, "resource") + ": " + counts.joined(separator: ", ") + "\n"
    }

    /// A number with its noun, in the plural unless the number is 1.
    private static func counted(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }

    private func paint(_ colour: String, _ text: String) -> String {
        hasColours ? "\u{1B}[\(colour)m\(text)\u{1B}[0m" : text
    }
}
