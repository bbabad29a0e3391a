// SPDX-License-Identifier: MIT

import PortcullisConfiguration

/// Checks several resources concurrently and shows the progress.
package struct CheckScan: Sendable {
    private let concurrency: Int
    private let showsProgress: Bool
    private let console: Console
    private let check: @Sendable (String) async -> CheckReport

    /// Creates a scan.
    ///
    /// - Parameters:
    ///   - concurrency: The maximum number of concurrent checks.
    ///   - showsProgress: Whether each finished check is written to standard error.
    ///   - console: The console to write to.
    ///   - check: Checks one resource.
    package init(
        concurrency: Int, showsProgress: Bool, console: Console,
        check: @escaping @Sendable (String) async -> CheckReport
    ) {
        self.concurrency = concurrency
        self.showsProgress = showsProgress
        self.console = console
        self.check = check
    }

    /// Checks the URLs, and returns the reports in their order.
    ///
    /// The next check starts as soon as one ends, so that a slow host does not delay the others.
    package func reports(on urls: [String]) async -> [CheckReport] {
        let reports = await withTaskGroup(of: (Int, CheckReport).self) { group in
            var reports: [(Int, CheckReport)] = []
            var waiting = urls.enumerated().makeIterator()
            for _ in 0..<concurrency {
                guard let (index, url) = waiting.next() else { break }
                group.addTask { (index, await check(url)) }
            }
            for await result in group {
                reports.append(result)
                showProgress(result.1, done: reports.count, of: urls.count)
                if let (index, url) = waiting.next() { group.addTask { (index, await check(url)) } }
            }
            return reports.sorted { $0.0 < $1.0 }.map(\.1)
        }
        if showsProgress, console.isErrorTerminal { console.writeErrorOver("") }
        return reports
    }

    private func showProgress(_ report: CheckReport, done: Int, of count: Int) {
        guard showsProgress else { return }
        let line = "[\(done)/\(count)] \(report.outcome.word) \(TerminalText.printable(report.subject))"
        // On a terminal the progress is a single line that is overwritten.
        if console.isErrorTerminal {
            console.writeErrorOver(String(line.prefix(78)))
        } else {
            console.writeError(line + "\n")
        }
    }
}
