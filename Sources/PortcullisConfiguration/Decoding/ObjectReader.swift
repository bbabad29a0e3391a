// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// Reads the members of one JSON object by name, and reports values with a wrong type or range.
///
/// Callers read every key of the format; ``finish()`` then reports all other keys as unknown. An invalid
/// value reads as `nil`, so that one mistake makes one finding.
final class ObjectReader {
    let findings: FindingCollector
    let object: JSONObject
    /// The path of the object, or of the one that has it as the member `member`.
    private let base: JSONPath
    private let member: String?
    private var knownNames: [String] = []

    /// - Parameter member: The object's name in the one at the path; `nil` if the path is its own.
    init?(_ value: JSONValue, at path: JSONPath, member: String? = nil, _ findings: FindingCollector) {
        guard case .object(let object) = value else {
            findings.error(
                member.map { path[$0] } ?? path, "must be an object; found \(FoundValue.type(of: value))")
            return nil
        }
        base = path
        self.member = member
        self.findings = findings
        self.object = object
        // More than most objects have, so that the list is made once.
        knownNames.reserveCapacity(16)
    }

    /// Made when it is needed: most objects have no finding.
    var path: JSONPath { member.map { base[$0] } ?? base }

    /// Returns the raw value of a key, and marks the key as known.
    func value(_ name: String) -> JSONValue? {
        knownNames.append(name)
        return object[name]
    }

    func error(_ name: String, _ message: String) {
        findings.error(path[name], message)
    }

    func warning(_ name: String, _ message: String) {
        findings.warning(path[name], message)
    }

    /// Reports the keys that no caller has read.
    func finish() {
        for member in object.members
        where !knownNames.contains(where: { CodePoints.equal($0, member.name) }) {
            error(member.name, "unknown key; known here: " + knownNames.joined(separator: ", "))
        }
    }

    func bool(_ name: String) -> Bool? {
        guard let value = value(name) else { return nil }
        guard case .bool(let bool) = value else {
            error(name, "must be true or false; found \(FoundValue.text(of: value))")
            return nil
        }
        return bool
    }

    /// Reads a string that is not empty.
    func string(_ name: String) -> String? {
        guard let value = value(name) else { return nil }
        guard case .string(let string) = value, !string.isEmpty else {
            error(name, "must be a string that is not empty; found \(FoundValue.type(of: value))")
            return nil
        }
        return string
    }

    func requiredString(_ name: String, _ meaning: String) -> String? {
        if object[name] == nil {
            _ = value(name)
            error(name, "missing; must be " + meaning)
            return nil
        }
        return string(name)
    }

    /// Reads one word of a closed list.
    func word<Word: RawRepresentable & CaseIterable>(_ name: String, _: Word.Type) -> Word?
    where Word.RawValue == String {
        guard let value = value(name) else { return nil }
        if case .string(let string) = value, let word = Word(exactly: string) { return word }
        error(
            name,
            "must be one of " + Word.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
                + "; found \(FoundValue.text(of: value))")
        return nil
    }

    func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = value(name) else { return nil }
        guard case .number(let number) = value, let integer = number.integer, range.contains(integer) else {
            error(
                name,
                "must be a whole number from \(range.lowerBound) to \(range.upperBound); found "
                    + FoundValue.text(of: value))
            return nil
        }
        return integer
    }

    /// Reads a duration: a number of seconds, fractions allowed.
    func seconds(_ name: String, in range: ClosedRange<Double>) -> Duration? {
        guard let value = value(name) else { return nil }
        guard let duration = Self.seconds(value, in: range) else {
            error(
                name,
                "must be a number of seconds \(Self.describe(range)); found \(FoundValue.text(of: value))")
            return nil
        }
        return duration
    }

    static func seconds(_ value: JSONValue, in range: ClosedRange<Double>) -> Duration? {
        guard case .number(let number) = value, let seconds = number.double, range.contains(seconds) else {
            return nil
        }
        return .seconds(seconds)
    }

    static func describe(_ range: ClosedRange<Double>) -> String {
        func text(_ bound: Double) -> String { Int(exactly: bound).map { "\($0)" } ?? "\(bound)" }
        return "from \(text(range.lowerBound)) to \(text(range.upperBound))"
    }

    /// Reads a list of distinct strings, none of them empty.
    func strings(_ name: String, of what: String = "strings") -> [String]? {
        guard let value = value(name) else { return nil }
        guard case .array(let elements) = value else {
            error(name, "must be a list of \(what); found \(FoundValue.type(of: value))")
            return nil
        }
        return strings(elements, at: path[name])
    }

    private func strings(_ elements: [JSONValue], at path: @autoclosure () -> JSONPath) -> [String] {
        var strings: [String] = []
        strings.reserveCapacity(elements.count)
        var seen: Set<ExactText> = []
        for (index, element) in elements.enumerated() {
            guard case .string(let string) = element, !string.isEmpty else {
                findings.error(
                    path()[index], "must be a string that is not empty; found \(FoundValue.type(of: element))"
                )
                continue
            }
            // Most lists have one element, which needs no set.
            if elements.count == 1 || seen.insert(ExactText(string)).inserted {
                strings.append(string)
            } else {
                findings.error(path()[index], "given more than once; remove the repetition")
            }
        }
        return strings
    }

    /// Reads a list of whole numbers.
    func integers(_ name: String, in range: ClosedRange<Int>) -> [Int]? {
        guard let value = value(name) else { return nil }
        guard case .array(let elements) = value else {
            error(name, "must be a list of whole numbers; found \(FoundValue.type(of: value))")
            return nil
        }
        return elements.enumerated().compactMap { index, element in
            if case .number(let number) = element, let integer = number.integer, range.contains(integer) {
                return integer
            }
            findings.error(
                path[name][index],
                "must be a whole number from \(range.lowerBound) to \(range.upperBound); found "
                    + FoundValue.text(of: element))
            return nil
        }
    }

    func object(_ name: String) -> ObjectReader? {
        value(name).flatMap { ObjectReader($0, at: path, member: name, findings) }
    }

    /// Reads a list of objects; reports and skips elements of other types.
    func objects(_ name: String) -> [ObjectReader]? {
        guard let elements = elements(name) else { return nil }
        let list = path[name]
        return elements.enumerated().compactMap { ObjectReader($1, at: list[$0], findings) }
    }

    /// Reads a list whose elements the caller reads as objects.
    func elements(_ name: String) -> [JSONValue]? {
        guard let value = value(name) else { return nil }
        guard case .array(let elements) = value else {
            error(name, "must be a list of objects; found \(FoundValue.type(of: value))")
            return nil
        }
        return elements
    }
}

extension RawRepresentable where Self: CaseIterable, RawValue == String {
    /// The case with exactly these code points; `init(rawValue:)` also accepts canonically equivalent ones.
    init?(exactly text: String) {
        guard let word = Self.allCases.first(where: { $0.rawValue.utf8.elementsEqual(text.utf8) }) else {
            return nil
        }
        self = word
    }
}

extension JSONObject {
    /// The members' names, in order.
    var names: [String] { members.map(\.name) }
}
