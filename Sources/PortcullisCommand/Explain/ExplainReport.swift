// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisHTTP
import PortcullisJOSE

/// What would make a refused token acceptable, in the words of a configuration file.
struct Advice {
    /// The fragment of the file, or `nil` if there is no sound setting.
    let edit: SuggestedEdit?
    /// Why there is no sound setting.
    let objection: String?

    /// - Parameters:
    ///   - suggestion: `nil` if the request was admitted.
    ///   - resource: The index of the resource in the file, if there is a file.
    init(
        _ suggestion: Suggestion?, for resource: Int?, named identifier: String, in document: JSONObject
    ) {
        switch suggestion {
        case .settings(let settings):
            edit = SuggestedEdit(of: settings, for: resource, named: identifier, in: document)
            objection = nil
        case .unsound(let why): (edit, objection) = (nil, why)
        case nil, _?: (edit, objection) = (nil, nil)
        }
    }

    /// The members of a JSON report.
    var members: JSONObject {
        var members: JSONObject = ["suggestion": edit.map { .object($0.json) } ?? .null]
        members["unsound"] = objection.map(JSONValue.string)
        return members
    }

    /// The lines of a report for people, with labels of a width; empty if there is no advice.
    func text(labelWidth: Int) -> String {
        func line(_ name: String, _ value: String) -> String {
            name + ":" + String(repeating: " ", count: max(1, labelWidth - name.count - 1)) + value + "\n"
        }
        if let objection { return line("unsound", objection) }
        guard let edit else { return "" }
        let fragment = String(decoding: edit.json.serialized(), as: UTF8.self)
        return line("suggest", fragment)
            + (edit.isLast
                ? "" : line("then", "explain again; another object of the file needs a change too"))
    }
}

/// The report of an explained request.
struct ExplainReport {
    let explanation: Explanation
    let resource: String
    let route: String
    /// The status of what is answered after the gate where no route has the path or the method.
    let unmatchedStatus: Status?
    let advice: Advice

    /// What becomes of an admitted request for which there is no route, or `nil`.
    private var unmatched: String? {
        unmatchedStatus.map { "no route; what is answered after the gate is \($0.code)" }
    }

    // MARK: For people

    var text: String {
        var text = "resource: \(resource)\nroute: \(unmatched ?? route)\n\n"
        for (index, step) in explanation.steps.enumerated() { text += Self.text(of: step, index + 1) }
        let lines = advice.text(labelWidth: 10)
        if !lines.isEmpty { text += "\n" + lines }
        switch explanation.decision {
        case .success(let token):
            let without = token == nil ? " without a token" : ""
            text +=
                unmatched.map { "\nThe gate admits the request\(without): \($0).\n" }
                ?? "\nThe request is admitted\(without).\n"
        case .failure(let refusal):
            text += "\nRefused: \(refusal.reason.rawValue). The response:\n\n" + Self.text(of: refusal)
        }
        return text
    }

    private static func text(of step: Explanation.Step, _ number: Int) -> String {
        let mark =
            switch step.outcome {
            case .passed, .remembered: "ok  "
            case .failed: "FAIL"
            case .wouldPass: "(ok)"
            case .wouldFail: "(no)"
            default: "-   "
            }
        var text = "\(number < 10 ? " " : "")\(number) \(mark) \(step.name) (\(step.clause))\n"
        if let expected = step.expected { text += "        expected: \(expected)\n" }
        if let got = step.got { text += "        got:      \(got)\n" }
        if let reason = step.reason { text += "        repair:   \(reason.remedy)\n" }
        return text
    }

    private static func text(of refusal: Refusal) -> String {
        let head = refusal.head
        var lines = ["HTTP/1.1 \(head.status.description)"]
        lines += head.fields.map { "\($0.name.spelling): \($0.value)" }
        return lines.joined(separator: "\n") + "\n\n" + String(decoding: refusal.body, as: UTF8.self) + "\n"
    }

    // MARK: JSON

    var json: JSONObject {
        var json: JSONObject = ["resource": .string(resource)]
        json["route"] = unmatchedStatus == nil ? .string(route) : .null
        json["unmatched_status"] = unmatchedStatus.map { .number(JSONNumber($0.code)) }
        switch explanation.decision {
        case .success: json["admitted"] = true
        case .failure(let refusal):
            json["admitted"] = false
            json["refusal"] = .string(refusal.reason.rawValue)
            json["response"] = .object(Self.json(of: refusal))
        }
        json["steps"] = .array(explanation.steps.map { .object(Self.json(of: $0)) })
        for member in advice.members.members { json[member.name] = member.value }
        return json
    }

    private static func json(of step: Explanation.Step) -> JSONObject {
        var json: JSONObject = [
            "name": .string(step.name), "clause": .string(step.clause),
            "outcome": .string(word(step.outcome)),
        ]
        json["expected"] = step.expected.map(JSONValue.string)
        json["got"] = step.got.map(JSONValue.string)
        json["repair"] = step.reason.map { .string($0.remedy) }
        return json
    }

    private static func word(_ outcome: Explanation.Step.Outcome) -> String {
        switch outcome {
        case .passed: "passed"
        case .remembered: "remembered"
        case .failed: "failed"
        case .wouldPass: "would_pass"
        case .wouldFail: "would_fail"
        case .notReached: "not_reached"
        default: "not_judged"
        }
    }

    private static func json(of refusal: Refusal) -> JSONObject {
        let head = refusal.head
        return [
            "status": .number(JSONNumber(head.status.code)),
            "fields": .array(head.fields.map { .string("\($0.name.spelling): \($0.value)") }),
            "body": .string(String(decoding: refusal.body, as: UTF8.self)),
        ]
    }
}
