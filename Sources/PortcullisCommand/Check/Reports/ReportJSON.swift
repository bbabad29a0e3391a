// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// Writes reports as JSON; later versions may add members, but do not rename or remove any.
package enum ReportJSON {
    /// One object with all reports and their counts, on one line.
    package static func text(_ reports: [CheckReport]) -> String {
        var summary: JSONObject = [:]
        for outcome in [Outcome.success, .failure, .trouble] {
            summary[outcome.word] = number(reports.count { $0.outcome == outcome })
        }
        let object: JSONObject = [
            "reports": .array(reports.map { .object(json($0)) }), "summary": .object(summary),
        ]
        return String(decoding: object.serialized(), as: UTF8.self) + "\n"
    }

    private static func json(_ report: CheckReport) -> JSONObject {
        var object: JSONObject = [
            "subject": .string(report.subject), "result": .string(report.outcome.word),
        ]
        object["trouble"] = report.trouble.map(JSONValue.string)
        object["readiness"] = report.readiness.map { .object($0.json) }
        object["root_readiness"] = report.rootReadiness.map { .object($0.json) }
        object["metadata_url"] = report.metadataURL.map(JSONValue.string)
        object["resource"] = report.resource.map(JSONValue.string)
        object["authorization_servers"] = .array(report.authorizationServers.map(JSONValue.string))
        object["signer"] = report.signer.map(JSONValue.string)
        object["findings"] = .array(
            report.findings.map { .object(json($0)) })
        return object
    }

    private static func json(_ finding: Finding) -> JSONObject {
        var object: JSONObject = [
            "level": .string(finding.level.rawValue), "code": .string(finding.code),
            "text": .string(finding.text),
        ]
        if !finding.about.isEmpty { object["about"] = .string(finding.about) }
        if finding.level != .pass {
            object["clause"] = .string(finding.rule.clause)
            object["sent"] = (finding.exchange?.sent).map(JSONValue.string)
            object["received"] = (finding.exchange?.received).map(JSONValue.string)
            object["client"] = .string(finding.rule.consequence)
            object["mend"] = .string(finding.rule.remedy)
            object["suppression"] = finding.suppression.map(JSONValue.string)
        }
        return object
    }

    private static func number(_ count: Int) -> JSONValue { .number(JSONNumber(count)) }
}
