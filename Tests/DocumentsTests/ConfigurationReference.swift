// SPDX-License-Identifier: MIT

import Foundation
import PortcullisConfiguration
import PortcullisJOSE
import Testing

/// Compares the reference of the example server's file with the decoder: each key that the decoder knows, and
/// its message about a wrong value.
@Suite("Documents: reference of the configuration file")
struct ConfigurationReference {
    static let path = "Examples/ExampleServer/README.md"

    @Test func `the reference lists each object's keys and their values`() throws {
        let documented = Self.tables(of: Document(path: Self.path).text)
        let decoded = Self.decoded()
        #expect(decoded.keys.count > 15)
        for (object, keys) in decoded {
            let rows = documented[object] ?? [:]
            for (key, value) in keys { #expect(rows[key] == value, "\(object): | `\(key)` | \(value) |") }
            let extra = Set(rows.keys).subtracting(keys.keys)
            #expect(extra == [], "\(object) does not know these")
        }
        #expect(Set(documented.keys).subtracting(decoded.keys) == [])
    }

    /// The rows below headings such as `` ### `$.server.limits` ``.
    private static func tables(of text: String) -> [String: [String: String]] {
        var tables: [String: [String: String]] = [:]
        var object: String?
        for line in text.components(separatedBy: "\n") {
            if line.hasPrefix("#") {
                let parts = line.components(separatedBy: "`")
                object = parts.count == 3 && parts[1].hasPrefix("$") ? parts[1] : nil
            } else if let object, line.hasPrefix("| `") {
                let cells = line.components(separatedBy: " | ")
                let key = cells[0].trimmingCharacters(in: CharacterSet(charactersIn: "| `"))
                tables[object, default: [:]][key] = cells.count > 1 ? cells[1] : ""
            }
        }
        return tables
    }

    /// What the decoder knows, found by decoding: for an unknown key its message lists the object's keys, and
    /// for `null` its message states what the key's value must be.
    private static func decoded() -> [String: [String: String]] {
        var found: [String: [String: String]] = [:]
        var waiting: [[Step]] = [[]]
        while let object = waiting.popLast() {
            guard let keys = knownKeys(of: object) else { continue }
            var values: [String: String] = [:]
            for key in keys {
                values[key] = value(of: key, in: object)
                waiting.append(object + [Step(name: key, isList: false)])
                waiting.append(object + [Step(name: key, isList: true)])
            }
            found[text(of: object)] = values
        }
        return found
    }

    /// A key on the path to an object: the object is the key's value, or its only element.
    private struct Step {
        let name: String
        let isList: Bool
    }

    private static func text(of object: [Step]) -> String {
        object.reduce("$") { $0 + ".\($1.name)" + ($1.isList ? "[]" : "") }
    }

    private static func knownKeys(of object: [Step]) -> [String]? {
        let words = "unknown key; known here: "
        let message = findings(object, "unknown_key", .number(JSONNumber(1))).first {
            $0.path == place(object, "unknown_key") && $0.message.hasPrefix(words)
        }?.message
        return message.map { $0.dropFirst(words.count).components(separatedBy: ", ") }
    }

    private static func value(of key: String, in object: [Step]) -> String {
        let message = findings(object, key, .null).first {
            $0.path == place(object, key) && $0.message.hasPrefix("must be ")
        }?.message
        // After the rule, the message says what was found.
        return message.map { $0.dropFirst(8).components(separatedBy: "; found ")[0] } ?? "unknown"
    }

    private static func place(_ object: [Step], _ key: String) -> String {
        text(of: object).replacingOccurrences(of: "[]", with: "[0]") + "." + key
    }

    private static func findings(_ object: [Step], _ key: String, _ value: JSONValue) -> [Finding] {
        var members: JSONObject = [key: value]
        for (index, step) in object.enumerated().reversed() {
            // The decoder does not look at a resource without metadata.
            if object.prefix(index + 1).map(\.name) == ["resources"], members["metadata"] == nil {
                members["metadata"] = .object(["resource": "https://api.example.com/"])
            }
            let inner = JSONValue.object(members)
            members = [step.name: step.isList ? .array([inner]) : inner]
        }
        do throws(InvalidConfiguration) {
            return try ConfigurationFile(.object(members)).warnings
        } catch {
            return error.findings
        }
    }
}
