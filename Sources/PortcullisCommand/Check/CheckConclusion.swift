// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisTransport

/// What happens to finished reports: suppressions, the level that fails, the formats.
struct CheckConclusion: Sendable {
    private let plan: OutputPlan
    private let failsOnWarnings: Bool
    private let suppressionsPath: String?
    private let anchor: SourceAnchor?

    /// Reads the options that concern finished reports.
    init(_ words: CommandLineWords) throws(Misuse) {
        plan = try OutputPlan(words)
        let level = words.value(of: "--fail-on") ?? "fail"
        guard ["fail", "warn"].contains(level) else {
            throw Misuse("--fail-on needs fail or warn, not \"\(level)\"")
        }
        failsOnWarnings = level == "warn"
        suppressionsPath = words.value(of: "--suppressions")
        anchor = try words.value(of: "--sarif-anchor").map { (text) throws(Misuse) in
            guard let anchor = SourceAnchor(text) else {
                throw Misuse("--sarif-anchor needs FILE or FILE:LINE, not \"\(text)\"")
            }
            return anchor
        }
    }

    /// Writes the reports, and returns the worst outcome.
    ///
    /// Suppressions that cannot be read are trouble: without them the outcome would be another.
    func write(_ reports: [CheckReport], _ console: Console) -> Outcome {
        let time = ReportTime(secondsSince1970: TimeSource.system.now().wholeSeconds ?? 0)
        var reports = reports
        do throws(Misuse) {
            let suppressions = try readSuppressions()
            for index in reports.indices {
                reports[index].failsOnWarnings = failsOnWarnings
                suppressions?.apply(to: &reports[index], on: time.day)
                if reports[index].anchor == nil { reports[index].anchor = anchor }
            }
        } catch {
            console.writeError("portcullis: \(error.message)\n")
            return .trouble
        }
        return plan.write(reports, at: time, console)
    }

    private func readSuppressions() throws(Misuse) -> Suppressions? {
        guard let path = suppressionsPath else { return nil }
        let bytes: [UInt8]
        do throws(InputFile.Unreadable) {
            bytes = try InputFile.contents(of: path, maxByteCount: Suppressions.maximumByteCount)
        } catch {
            throw Misuse("the file \(path) \(error.message)")
        }
        do throws(Misuse) {
            return try Suppressions(bytes)
        } catch {
            throw Misuse("the file \(path): \(error.message)")
        }
    }
}
