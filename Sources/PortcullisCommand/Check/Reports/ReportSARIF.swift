// SPDX-License-Identifier: MIT

import PortcullisConfiguration
import PortcullisJOSE
import PortcullisTransport

/// Writes reports as SARIF 2.1.0: one run, whose results are the findings that are not correct answers.
///
/// Code hosts show a result only at a line of a file, so each subject has the line that names it.
package enum ReportSARIF {
    /// The most results that are written; code hosts refuse files with more.
    package static let maximumResultCount = 25_000

    private static let key = "portcullisFinding/v1"

    /// One object, on one line.
    ///
    /// - Parameter count: The most results that are written.
    package static func text(_ reports: [CheckReport], upTo count: Int = maximumResultCount) -> String {
        var text = ""
        write(reports, upTo: count) { text += $0 }
        return text
    }

    /// The same in pieces, one for each result.
    static func write(
        _ reports: [CheckReport], upTo count: Int = maximumResultCount, to sink: (String) -> Void
    ) {
        let found = reports.indices.flatMap { index in
            reports[index].findings.indices.filter { reports[index].findings[$0].level != .pass }
                .map { (report: index, finding: $0) }
        }
        func gravity(_ place: (report: Int, finding: Int)) -> Int {
            reports[place.report].findings[place.finding].level.gravity
        }
        // The gravest stay if there are too many; `sorted` keeps the order of equals.
        let kept =
            found.count <= count
            ? found : Array(found.sorted { gravity($0) > gravity($1) }.prefix(count))
        let run: JSONObject = [
            "tool": .object(["driver": .object(driver)]),
            "automationDetails": ["id": "portcullis-check/"],
            "invocations": [.object(invocation(reports, leftOut: found.count - kept.count))],
        ]
        let schema = "https://json.schemastore.org/sarif-2.1.0.json"
        sink("{\"version\":\"2.1.0\",\"$schema\":\"\(schema)\",\"runs\":[")
        sink(String(text(run).dropLast()) + ",\"results\":[")
        for (index, place) in kept.enumerated() {
            let report = reports[place.report]
            let text = text(result(report.findings[place.finding], in: report))
            sink(index == 0 ? text : "," + text)
        }
        sink("]}]}\n")
    }

    private static func text(_ object: JSONObject) -> String {
        String(decoding: object.serialized(), as: UTF8.self)
    }

    private static var driver: JSONObject {
        [
            "name": "portcullis check", "semanticVersion": .string(ProductVersion.text),
            "rules": .array(
                CheckRule.all.map { rule in
                    [
                        "id": .string(rule.code), "shortDescription": ["text": .string(rule.title)],
                        "fullDescription": ["text": .string("\(rule.title) \(rule.clause)")],
                        "help": ["text": .string("A client: \(rule.consequence)\nMend: \(rule.remedy)")],
                        "helpUri": .string(rule.url),
                        "defaultConfiguration": ["level": .string(rule.level.sarif)],
                    ]
                }),
        ]
    }

    private static func invocation(_ reports: [CheckReport], leftOut: Int) -> JSONObject {
        var notices: [JSONValue] = reports.compactMap { report in
            report.trouble.map { trouble in
                [
                    "level": "error", "message": ["text": .string("\(report.subject): \(trouble)")],
                    "locations": [.object(location(of: report))],
                ]
            }
        }
        let isWhole = notices.isEmpty
        if leftOut > 0 {
            notices.append([
                "level": "note",
                "message": ["text": .string("\(leftOut) findings of the lowest levels were left out.")],
            ])
        }
        var object: JSONObject = ["executionSuccessful": .bool(isWhole)]
        object["exitCode"] = .number(JSONNumber(Int(reports.worst.rawValue)))
        if !notices.isEmpty { object["toolExecutionNotifications"] = .array(notices) }
        return object
    }

    private static func result(_ finding: Finding, in report: CheckReport) -> JSONObject {
        var properties: JSONObject = [:]
        if !finding.about.isEmpty { properties["about"] = .string(finding.about) }
        properties["sent"] = (finding.exchange?.sent).map(JSONValue.string)
        properties["received"] = (finding.exchange?.received).map(JSONValue.string)
        var object: JSONObject = ["ruleId": .string(finding.code)]
        object["ruleIndex"] = CheckRule.index(of: finding.code).map { .number(JSONNumber($0)) }
        object["level"] = .string(finding.level.sarif)
        object["message"] = ["text": .string("\(report.subject): \(finding.text)")]
        object["locations"] = [.object(location(of: report))]
        object["partialFingerprints"] = [key: .string(finding.fingerprint(of: report.subject))]
        if let reason = finding.suppression {
            object["suppressions"] = [["kind": "external", "justification": .string(reason)]]
        }
        if !properties.members.isEmpty { object["properties"] = .object(properties) }
        return object
    }

    private static func location(of report: CheckReport) -> JSONObject {
        var object: JSONObject = [:]
        if let anchor = report.anchor {
            var artifact: JSONObject = ["uri": .string(uri(of: anchor.file))]
            if !anchor.file.hasPrefix("/") { artifact["uriBaseId"] = "%SRCROOT%" }
            object["physicalLocation"] = [
                "artifactLocation": .object(artifact),
                "region": ["startLine": .number(JSONNumber(anchor.line))],
            ]
        }
        object["logicalLocations"] = [
            ["fullyQualifiedName": .string(report.subject), "kind": "resource"]
        ]
        return object
    }

    /// The path as a URI reference: other bytes than unreserved ones and slashes are escaped.
    ///
    /// RFC 3986 §2.
    static func uri(of path: String) -> String {
        var rest = path[...]
        while rest.hasPrefix("./") { rest = rest.dropFirst(2) }
        let digits = Array("0123456789ABCDEF".utf8)
        var output: [UInt8] = []
        for byte in rest.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E, 0x2F: output.append(byte)
            default: output += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        let text = String(decoding: output, as: UTF8.self)
        return rest.hasPrefix("/") ? "file://" + text : text
    }
}

extension Finding.Level {
    /// The level in SARIF.
    fileprivate var sarif: String {
        switch self {
        case .pass: "none"
        case .note: "note"
        case .warn: "warning"
        case .fail: "error"
        }
    }

    /// Larger for graver levels.
    package var gravity: Int {
        switch self {
        case .pass: 0
        case .note: 1
        case .warn: 2
        case .fail: 3
        }
    }
}
