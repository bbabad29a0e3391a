// SPDX-License-Identifier: MIT

/// Writes reports as workflow commands of GitHub Actions, which become annotations.
///
/// The host shows ten of each kind for each step.
package enum ReportAnnotations {
    /// One command for each finding that is not a correct answer and not suppressed.
    package static func text(_ reports: [CheckReport]) -> String {
        var text = ""
        for report in reports {
            if let trouble = report.trouble {
                text += command("error", "could not check", "\(report.subject): \(trouble)", report.anchor)
            }
            for finding in report.findings.sorted(by: { $0.level.gravity > $1.level.gravity }) {
                guard let kind = kind(of: finding, in: report) else { continue }
                let message = "\(report.subject): \(finding.text)\n\(finding.rule.remedy)"
                text += command(kind, finding.code, message, report.anchor)
            }
        }
        return text
    }

    private static func kind(of finding: Finding, in report: CheckReport) -> String? {
        guard finding.suppression == nil else { return nil }
        switch finding.level {
        case .pass: return nil
        case .note: return "notice"
        case .warn: return report.failsOnWarnings ? "error" : "warning"
        case .fail: return "error"
        }
    }

    private static func command(
        _ kind: String, _ title: String, _ message: String, _ anchor: SourceAnchor?
    ) -> String {
        let place = anchor.map { "file=\(property($0.file)),line=\($0.line)," } ?? ""
        return "::\(kind) \(place)title=\(property(title))::\(escaped(message))\n"
    }

    /// Escapes what would end a command and start the next.
    static func escaped(_ text: String) -> String {
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "%": output += "%25"
            case "\r": output += "%0D"
            case "\n": output += "%0A"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }

    private static func property(_ text: String) -> String {
        var output = ""
        for scalar in escaped(text).unicodeScalars {
            switch scalar {
            case ":": output += "%3A"
            case ",": output += "%2C"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }
}
