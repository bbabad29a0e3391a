// SPDX-License-Identifier: MIT

import PortcullisConfiguration

/// Checks several resources side by side, and tells how far it has got.
package struct CheckScan: Sendable {
    private let concurrency: Int
    private let showsProgress: Bool
    private let console: Console
    private let check: @Sendable (String) async -> CheckReport

    /// Makes a scan.
    ///
    /// - Parameters:
    ///   - concurrency: How many are checked at the same time.
    ///   - showsProgress: Whether every end of a check is told on standard error.
    ///   - console: Where.
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

    /// The reports, in the order of the URLs.
    ///
    /// As soon as one check ends the next begins, so that a slow host keeps one place and not the whole line waiting.
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
                tell(result.1, done: reports.count, of: urls.count)
                if let (index, url) = waiting.next() { group.addTask { (index, await check(url)) } }
            }
            return reports.sorted { $0.0 < $1.0 }.map(\.1)
        }
        if showsProgress, console.isErrorTerminal { console.writeErrorOver("") }
        return reports
    }

    private func tell(_ report: CheckReport, done: Int, of count: Int) {
        guard showsProgress else { return }
        let line = "[\(done)/\(count)] \(report.outcome.word) \(TerminalText.printable(report.subject))"
        // On a terminal one line is written over again and again.
        if console.isErrorTerminal {
            console.writeErrorOver(String(line.prefix(78)))
        } else {
            console.writeError(line + "\n")
        }
    }
}
