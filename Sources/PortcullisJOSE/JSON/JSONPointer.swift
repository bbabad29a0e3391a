// SPDX-License-Identifier: MIT

/// The place of a value below the root of a JSON document: `/realm_access/roles`.
///
/// `~1` stands for a slash within a name, and `~0` for a tilde: `/https:~1~1example.com~1roles` is the member
/// `https://example.com/roles`. In an array a name is an index from 0.
///
/// RFC 6901 §3, §4.
public struct JSONPointer: Sendable, CustomStringConvertible {
    /// The maximum length of a pointer, in bytes.
    public static let maximumByteCount = 1024

    /// The pointer as written.
    public let text: String

    /// One name of the path.
    private struct Step: Sendable {
        let name: String
        /// The name as the index of an array, or `nil` if it is none.
        let index: Int?
    }

    private let steps: [Step]

    /// Creates a pointer from a text; `nil` if the text is malformed, too long, or empty.
    ///
    /// The empty pointer, which is the whole document, names no member of it. RFC 6901 §3.
    public init?(_ text: String) {
        guard text.utf8.first == UInt8(ascii: "/"), text.utf8.count <= Self.maximumByteCount else {
            return nil
        }
        var steps: [Step] = []
        // Bytes, because a combining character after a slash forms one Character with it.
        let parts = text.utf8.dropFirst()
            .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for part in parts {
            guard let name = Self.unescaped(part) else { return nil }
            steps.append(Step(name: name, index: Self.index(name)))
        }
        self.text = text
        self.steps = steps
    }

    /// The pointer as written.
    public var description: String { text }

    /// The value at this place, or `nil` if there is none, or `null`.
    ///
    /// RFC 6901 §4.
    package func value(in object: JSONObject) -> JSONValue? {
        guard var value = object[steps[0].name] else { return nil }
        for step in steps.dropFirst() {
            switch value {
            case .object(let object):
                guard let next = object[step.name] else { return nil }
                value = next
            case .array(let elements):
                guard let index = step.index, elements.indices.contains(index) else { return nil }
                value = elements[index]
            case .null, .bool, .number, .string: return nil
            }
        }
        return value.isNull ? nil : value
    }

    /// Whether both name the same place.
    package static func areSame(_ first: JSONPointer, _ second: JSONPointer) -> Bool {
        CodePoints.equal(first.text, second.text)
    }

    /// RFC 6901 §4: `~1` first, then `~0`; here in one pass, and any other tilde is an error.
    private static func unescaped(_ part: Substring.UTF8View.SubSequence) -> String? {
        var bytes: [UInt8] = []
        var rest = part
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "~") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "0"): bytes.append(UInt8(ascii: "~"))
            case UInt8(ascii: "1"): bytes.append(UInt8(ascii: "/"))
            default: return nil
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// RFC 6901 §4: digits without a leading zero.
    private static func index(_ name: String) -> Int? {
        let digits = name.utf8
        guard (1...9).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            digits.count == 1 || digits.first != 0x30
        else { return nil }
        return Int(name)
    }
}
