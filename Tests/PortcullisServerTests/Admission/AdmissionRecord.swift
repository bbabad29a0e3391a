// SPDX-License-Identifier: MIT

import Foundation
import Portcullis
import PortcullisHTTP
import PortcullisJOSE

/// One request of a case, the answer and the calls that it needed, with names for what differs from run to
/// run.
struct AdmissionExchange: Sendable {
    /// The part on which all entries to the gate have to agree.
    let record: JSONObject
    let waits: [String]
    let steps: [ExplainedStep]
    let isRefused: Bool
    /// Whether requests without a token may pass.
    private let mayLackToken: Bool

    init(
        request: [String], answer: EntryAnswer, calls: [String], mayLackToken: Bool,
        stable: @escaping (String) -> String
    ) {
        self.mayLackToken = mayLackToken
        let texts = { (lines: [String]) in JSONValue.array(lines.map { .string(stable($0)) }) }
        var record: JSONObject = ["request": .array(request.map(JSONValue.string))]
        record["admitted"] =
            answer.token.map { Self.json($0) } ?? (answer.reason == nil ? "without a token" : nil)
        record["refused"] = answer.reason.map { .string($0.rawValue) }
        record["answer"] = texts(answer.lines)
        record["body"] = .string(stable(String(decoding: answer.body, as: UTF8.self)))
        if let finding = answer.finding {
            record["finding"] = [
                "expected": .string(stable(finding.expected)), "got": .string(stable(finding.got)),
            ]
        }
        record["calls"] = texts(calls)
        self.record = record
        waits = answer.waits
        isRefused = answer.reason != nil
        steps = answer.steps.map { step in
            ExplainedStep(
                name: step.name, clause: step.clause, outcome: step.outcome,
                expected: step.expected.map(stable), got: step.got.map(stable))
        }
    }

    private static func json(_ token: AccessToken) -> JSONValue {
        var json: JSONObject = ["issuer": .string(token.issuer)]
        json["subject"] = token.subject.map(JSONValue.string)
        json["client"] = token.clientID.map(JSONValue.string)
        json["scopes"] = .string(token.scopes.map(\.name).joined(separator: " "))
        json["audience"] = .array(token.audience.map(JSONValue.string))
        json["expires"] = token.expiresAt?.wholeSeconds.map { .number(JSONNumber($0)) }
        json["format"] = .string(token.format.rawValue)
        json["binding"] = .string(token.binding.rawValue)
        return .object(json)
    }

    /// The record without what only an operator sees.
    var withoutFinding: JSONObject {
        var record = record
        record["finding"] = nil
        return record
    }

    /// The record as a route's answer, whose caching fields the handler sets before the gate adds its own.
    ///
    /// RFC 9111 §3.5.
    var asOfRoute: JSONObject {
        guard record["admitted"] != nil, var lines = record["answer"]?.strings else { return record }
        let place = lines.firstIndex { $0.hasPrefix("Cache-Control: ") }
        lines.insert(place.map { lines.remove(at: $0) } ?? "Cache-Control: no-store", at: 1)
        if mayLackToken { lines.insert("Vary: Authorization", at: 1) }
        var record = record
        record["answer"] = .array(lines.map(JSONValue.string))
        return record
    }

    /// The steps of an explanation, one per line.
    var explained: JSONValue {
        .array(
            steps.map { step in
                var text = "\(step.outcome): \(step.name) [\(step.clause)]"
                if let expected = step.expected { text += ", expected \(expected)" }
                if let got = step.got { text += ", got \(got)" }
                return .string(text)
            })
    }

    /// Whether the explanation fits the decision: a refused request fails at one step and passes no step
    /// after it.
    var isConsistent: Bool {
        let outcomes = steps.map(\.outcome)
        guard isRefused else { return outcomes.allSatisfy { $0 == "passed" || $0 == "remembered" } }
        guard let failed = outcomes.firstIndex(of: "failed") else { return false }
        return outcomes[..<failed].allSatisfy { $0 == "passed" || $0 == "remembered" }
            && outcomes[(failed + 1)...].allSatisfy { $0 == "notReached" }
    }
}

/// The file of a case below `Fixtures/admission`.
struct AdmissionRecord {
    /// Set to record the present behaviour in the files instead of comparing it with them.
    static let variable = "PORTCULLIS_RECORD_ADMISSION"
    static var isRecording: Bool { ProcessInfo.processInfo.environment[variable] != nil }

    static let folder = URL(filePath: #filePath).appending(path: "../../../../Fixtures/admission")
        .standardized

    /// The names of the files, without `.json`.
    static var names: Set<String> {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? []
        return Set(files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) })
    }

    let text: String

    init(_ name: String) throws {
        text = try String(contentsOf: Self.folder.appending(path: name + ".json"), encoding: .utf8)
    }

    init(_ object: JSONObject) {
        text = Self.lines(.object(object), 0) + "\n"
    }

    func write(_ name: String) throws {
        try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
        try text.write(to: Self.folder.appending(path: name + ".json"), atomically: true, encoding: .utf8)
    }

    /// The reasons for which the file's requests were refused.
    var reasons: [String] {
        let requests = (try? JSONValue.parse(Array(text.utf8)))?.object?["requests"]?.array ?? []
        return requests.compactMap { $0.object?["refused"]?.string }
    }

    /// The lines that only one of the texts has, for a message.
    func difference(from other: AdmissionRecord) -> String {
        text.split(separator: "\n").difference(from: other.text.split(separator: "\n")).map { change in
            switch change {
            case .insert(let offset, let line, _): "is       \(offset + 1): \(line)"
            case .remove(let offset, let line, _): "recorded \(offset + 1): \(line)"
            }
        }.joined(separator: "\n")
    }

    /// JSON with one member per line; short values stay on one line.
    private static func lines(_ value: JSONValue, _ depth: Int) -> String {
        let flat = String(decoding: value.serialized(), as: UTF8.self)
        let indentation = String(repeating: "  ", count: depth + 1)
        let end = "\n" + String(repeating: "  ", count: depth)
        if flat.utf8.count <= 60 { return flat }
        switch value {
        case .array(let elements):
            let parts = elements.map { indentation + lines($0, depth + 1) }
            return "[\n" + parts.joined(separator: ",\n") + end + "]"
        case .object(let object):
            let parts = object.members.map { member in
                indentation + "\"\(member.name)\": " + lines(member.value, depth + 1)
            }
            return "{\n" + parts.joined(separator: ",\n") + end + "}"
        default: return flat
        }
    }
}
