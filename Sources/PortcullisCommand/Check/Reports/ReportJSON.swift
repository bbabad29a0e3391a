// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// Writes reports as JSON; later versions may add members, but do not rename or remove any.
package enum ReportJSON {
    /// One object with all reports and their counts, on one line.
    package static func text(_ reports: [CheckReport]) -> String {
        var text = ""
        write(reports) { text += $0 }
        return text
    }

    /// The same in pieces, one for each report.
    static func write(_ reports: [CheckReport], to sink: (String) -> Void) {
        var summary: JSONObject = [:]
        for outcome in [Outcome.success, .failure, .trouble] {
            summary[outcome.word] = number(reports.count { $0.outcome == outcome })
        }
        sink("{\"reports\":[")
        for (index, report) in reports.enumerated() {
            let text = String(decoding: json(report).serialized(), as: UTF8.self)
            sink(index == 0 ? text : "," + text)
        }
        sink("],\"summary\":" + String(decoding: summary.serialized(), as: UTF8.self) + "}\n")
    }

    /// One report on one line, for ``report(from:)``.
    static func line(_ report: CheckReport) -> String {
        var object = json(report)
        let time = report.duration.components
        let milliseconds = time.seconds * 1000 + time.attoseconds / 1_000_000_000_000_000
        object["milliseconds"] = number(Int(milliseconds))
        return String(decoding: object.serialized(), as: UTF8.self) + "\n"
    }

    /// The report that ``line(_:)`` wrote, or `nil` for another object.
    static func report(from object: JSONObject) -> CheckReport? {
        guard let subject = object["subject"]?.string, let findings = object["findings"]?.array else {
            return nil
        }
        var report = CheckReport(subject: subject)
        report.trouble = object["trouble"]?.string
        report.readiness = object["readiness"]?.object.map { Readiness(json: $0) }
        report.rootReadiness = object["root_readiness"]?.object.map { Readiness(json: $0) }
        report.metadataURL = object["metadata_url"]?.string
        report.resource = object["resource"]?.string
        report.authorizationServers = object["authorization_servers"]?.strings ?? []
        report.signer = object["signer"]?.string
        report.duration = .milliseconds(object["milliseconds"]?.number?.integer ?? 0)
        for value in findings {
            guard let finding = value.object.flatMap(Self.finding) else { return nil }
            report.findings.append(finding)
        }
        return report
    }

    private static func finding(from object: JSONObject) -> Finding? {
        guard let level = object["level"]?.string.flatMap(Finding.Level.init(rawValue:)),
            let code = object["code"]?.string, let text = object["text"]?.string
        else { return nil }
        let exchange = object["sent"]?.string.map {
            Exchange(shownSent: $0, shownReceived: object["received"]?.string ?? "")
        }
        return Finding(level, code, text, about: object["about"]?.string ?? "", exchange: exchange)
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
