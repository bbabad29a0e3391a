// SPDX-License-Identifier: MIT

import PortcullisConfiguration

/// Checks several resources concurrently and shows the progress.
package struct CheckScan: Sendable {
    /// The maximum duration of a polite scan's check of one target.
    package static let targetTimeout: Duration = .seconds(60)

    private let concurrency: Int
    private let showsProgress: Bool
    private let isPolite: Bool
    private let targetTimeout: Duration?
    private let journal: ScanJournal?
    private let console: Console
    private let check: @Sendable (String) async -> CheckReport

    /// Creates a scan.
    ///
    /// - Parameters:
    ///   - concurrency: The maximum number of concurrent checks.
    ///   - showsProgress: Whether each finished check is written to standard error.
    ///   - isPolite: Whether the targets of one host are checked one after another, and the progress has an
    ///     estimate.
    ///   - targetTimeout: The maximum duration of each check; `nil` for none.
    ///   - journal: Where finished reports are kept, and those that need not be made again.
    ///   - console: The console to write to.
    ///   - check: Checks one resource.
    package init(
        concurrency: Int, showsProgress: Bool, isPolite: Bool = false, targetTimeout: Duration? = nil,
        journal: ScanJournal? = nil, console: Console,
        check: @escaping @Sendable (String) async -> CheckReport
    ) {
        self.concurrency = concurrency
        self.showsProgress = showsProgress
        self.isPolite = isPolite
        self.targetTimeout = targetTimeout
        self.journal = journal
        self.console = console
        self.check = check
    }

    /// Checks the URLs, and returns the reports in their order.
    package func reports(on urls: [String]) async -> [CheckReport] {
        await reports(on: urls.map { CheckTarget($0) })
    }

    /// Checks the targets, and returns the reports in their order.
    ///
    /// The next check starts as soon as one ends, so that a slow host does not delay the others.
    package func reports(on targets: [CheckTarget]) async -> [CheckReport] {
        var reports = targets.map { journal?.finished[$0.url] }
        let open = targets.indices.filter { reports[$0] == nil }
        let started = ContinuousClock.now
        var queue = TargetQueue(hosts: targets.map(\.host), indices: open, isPolite: isPolite)
        await withTaskGroup(of: (Int, String, CheckReport).self) { group in
            func start() {
                guard let (index, host) = queue.next() else { return }
                group.addTask { (index, host, await limited(targets[index].url)) }
            }
            for _ in 0..<concurrency { start() }
            var done = 0
            for await (index, host, report) in group {
                reports[index] = report
                done += 1
                if journal?.append(report) == false {
                    console.writeError(
                        "portcullis: the report on \(report.subject) was not kept for --resume\n")
                }
                let left = isPolite ? (ContinuousClock.now - started) * (open.count - done) / done : nil
                showProgress(
                    report, done: targets.count - open.count + done, of: targets.count, left: left)
                queue.finish(host)
                start()
            }
        }
        if showsProgress, console.isErrorTerminal { console.writeErrorOver("") }
        return zip(targets, reports).map { target, report in
            var report = report ?? CheckReport(subject: target.url)
            report.anchor = target.anchor
            return report
        }
    }

    /// The check, ended after the target's time.
    private func limited(_ url: String) async -> CheckReport {
        let started = ContinuousClock.now
        var report: CheckReport
        if let targetTimeout {
            report = await withTaskGroup(of: CheckReport?.self) { group in
                group.addTask { await check(url) }
                group.addTask {
                    try? await Task.sleep(for: targetTimeout)
                    return nil
                }
                let first = await group.next() ?? nil
                group.cancelAll()
                return first ?? Self.unfinished(url, after: targetTimeout)
            }
        } else {
            report = await check(url)
        }
        report.duration = ContinuousClock.now - started
        return report
    }

    private static func unfinished(_ url: String, after time: Duration) -> CheckReport {
        var report = CheckReport(subject: url)
        report.trouble = "The check did not end within \(time.components.seconds) seconds."
        return report
    }

    private func showProgress(_ report: CheckReport, done: Int, of count: Int, left: Duration?) {
        guard showsProgress else { return }
        var line = "[\(done)/\(count)] \(report.outcome.word) \(TerminalText.printable(report.subject))"
        let estimate = left.flatMap { $0 > .zero ? "about \($0.components.seconds + 1) s left" : nil }
        // On a terminal the progress is a single line that is overwritten.
        if console.isErrorTerminal {
            if let estimate { line = "\(estimate) \(line)" }
            console.writeErrorOver(String(line.prefix(78)))
        } else {
            console.writeError(line + (estimate.map { " (\($0))" } ?? "") + "\n")
        }
    }
}
