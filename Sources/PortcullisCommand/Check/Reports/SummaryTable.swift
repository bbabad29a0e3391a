// SPDX-License-Identifier: MIT

import PortcullisConfiguration

/// A line for each resource of a scan, the gravest first.
enum SummaryTable {
    /// The reports in the order of the table: failures, checks that could not run, then by their counts.
    static func sorted<Item>(_ items: [Item], by report: (Item) -> CheckReport) -> [Item] {
        items.enumerated().map { ($0.offset, weight(of: report($0.element)), $0.element) }
            .sorted { first, second in
                first.1 == second.1 ? first.0 < second.0 : second.1.lexicographicallyPrecedes(first.1)
            }
            .map { $0.2 }
    }

    private static func weight(of report: CheckReport) -> [Int] {
        let result =
            switch report.outcome {
            case .failure: 2
            case .trouble: 1
            case .success: 0
            }
        return [result, report.count(of: .fail), report.count(of: .warn), report.count(of: .note)]
    }

    /// The table as text.
    static func text(_ reports: [CheckReport]) -> String {
        var text = "result     failures  warnings  notes  resource\n"
        for report in sorted(reports, by: { $0 }) {
            let counts = [Finding.Level.fail, .warn, .note].map { "\(report.count(of: $0))" }
            text += padded(report.outcome.word, to: 11) + padded(counts[0], to: 10)
            text += padded(counts[1], to: 10) + padded(counts[2], to: 7)
            text += TerminalText.printable(report.subject) + "\n"
        }
        return text
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.utf8.count))
    }
}
