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
        switch self {
        case .text:
            ReportText(hasColours: hasColours).text(reports)
                + (hasTable ? "\n" + SummaryTable.text(reports) : "")
        case .json: ReportJSON.text(reports)
        case .sarif: ReportSARIF.text(reports)
        case .junit: ReportJUnit.text(reports, at: time)
        case .github: ReportAnnotations.text(reports)
        case .html: ReportHTML.text(reports, at: time)
        }
    }
}
