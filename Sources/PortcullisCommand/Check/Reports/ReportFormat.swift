// SPDX-License-Identifier: MIT

/// The formats of a report.
package enum ReportFormat: String, Sendable, Hashable, CaseIterable {
    /// Lines for human readers.
    case text
    /// One JSON object.
    case json
    /// SARIF 2.1.0, for code hosts.
    case sarif
    /// JUnit XML, for build servers.
    case junit
    /// Workflow commands of GitHub Actions.
    case github
    /// One page without other files.
    case html

    /// The reports in this format.
    ///
    /// - Parameters:
    ///   - hasColours: Whether the text has the colours of a terminal.
    ///   - hasTable: Whether the text ends with a table of all resources.
    package func text(
        _ reports: [CheckReport], at time: ReportTime, hasColours: Bool = false, hasTable: Bool = false
    ) -> String {
        var text = ""
        write(reports, at: time, hasColours: hasColours, hasTable: hasTable) { text += $0 }
        return text
    }

    /// Writes the reports in this format, in pieces: all of a long scan at once would take much memory.
    func write(
        _ reports: [CheckReport], at time: ReportTime, hasColours: Bool, hasTable: Bool,
        to sink: (String) -> Void
    ) {
        switch self {
        case .text:
            let text = ReportText(hasColours: hasColours)
            for report in reports { sink(text.text(report)) }
            if reports.count > 1 { sink(text.total(reports)) }
            if hasTable { sink("\n" + SummaryTable.text(reports)) }
        case .json: ReportJSON.write(reports, to: sink)
        case .sarif: ReportSARIF.write(reports, to: sink)
        case .junit: sink(ReportJUnit.text(reports, at: time))
        case .github: sink(ReportAnnotations.text(reports))
        case .html: sink(ReportHTML.text(reports, at: time))
        }
    }
}
