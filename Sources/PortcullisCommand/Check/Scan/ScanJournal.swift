// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// The finished reports of a scan in a file, one JSON object a line, so that the scan can be resumed.
package struct ScanJournal: Sendable {
    /// The maximum length of the file, in bytes.
    package static let maximumByteCount = 1_073_741_824

    /// A report has a dozen members for each finding, and many findings for many authorization servers.
    private static let lineLimits = JSONLimits(
        maximumByteCount: 16_777_216, maximumMemberCount: 1_000_000)

    private let path: String
    /// The reports that the file had, by subject.
    package let finished: [String: CheckReport]

    /// Reads a journal; a file that does not exist is empty.
    ///
    /// A line that was cut off is ignored. A check that could not run is not finished.
    ///
    /// - Throws: ``Misuse`` for a file that cannot be read, and for one that is no journal.
    package init(path: String) throws(Misuse) {
        self.path = path
        // Opens the file for writing now, so that an error comes before the scan.
        do throws(OutputFile.Unwritable) {
            try OutputFile.write("", to: path, .appending)
        } catch {
            throw Misuse("the file \(path) \(error.message)")
        }
        let bytes: [UInt8]
        do throws(InputFile.Unreadable) {
            bytes = try InputFile.contents(of: path, maxByteCount: Self.maximumByteCount)
        } catch {
            throw Misuse("the file \(path) \(error.message)")
        }
        var finished: [String: CheckReport] = [:]
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: true)
        for (index, line) in lines.enumerated() {
            guard let object = (try? JSONValue.parse(Array(line), limits: Self.lineLimits))?.object,
                let report = ReportJSON.report(from: object)
            else {
                guard index == lines.count - 1, bytes.last != 0x0A else {
                    throw Misuse("the file \(path) has no report in line \(index + 1)")
                }
                continue
            }
            if report.trouble == nil { finished[report.subject] = report }
        }
        self.finished = finished
        // The next report must not continue a line that was cut off.
        let end = bytes.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        guard end < bytes.count else { return }
        do throws(OutputFile.Unwritable) {
            try OutputFile.cut(path, to: end)
        } catch {
            throw Misuse("the file \(path) \(error.message)")
        }
    }

    /// Adds a finished report.
    ///
    /// - Returns: Whether it was written.
    @discardableResult
    package func append(_ report: CheckReport) -> Bool {
        do throws(OutputFile.Unwritable) {
            try OutputFile.write(ReportJSON.line(report), to: path, .appending)
            return true
        } catch {
            return false
        }
    }
}
