// SPDX-License-Identifier: MIT

/// A JSON value: what a token, a key set or a metadata document holds.
///
/// Strings are compared code point by code point, not by canonical equivalence: two texts that Swift's
/// `String` calls equal but that are different bytes are different here.
///
/// RFC 8259 §3, §8.3.
public enum JSONValue: Sendable {
    /// The literal `null`.
    case null
    /// The literals `true` and `false`.
    case bool(Bool)
    /// A number, kept as it was written.
    case number(JSONNumber)
    /// A string.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object with distinct member names.
    case object(JSONObject)

    /// The truth value, or nothing if this is not a boolean.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The number, or nothing if this is not a number.
    public var number: JSONNumber? {
        if case .number(let value) = self { value } else { nil }
    }

    /// The text, or nothing if this is not a string.
    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The elements, or nothing if this is not an array.
    public var array: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The members, or nothing if this is not an object.
    public var object: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The strings of an array of strings, or nothing if this is anything else.
    package var strings: [String]? {
        guard let elements = array else { return nil }
        var strings: [String] = []
        for element in elements {
            guard let string = element.string else { return nil }
            strings.append(string)
        }
        return strings
    }

    /// Whether this is `null`.
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }
}

extension JSONValue: Hashable {
    /// Whether both are the same value; strings are compared code point by code point.
    ///
    /// RFC 8259 §8.3.
    public static func == (first: JSONValue, second: JSONValue) -> Bool {
        switch (first, second) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        case (.string(let a), .string(let b)): CodePoints.equal(a, b)
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)): a == b
        default: false
        }
    }

    /// Feeds the kind and the content.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .number(let value): hasher.combine(value)
        case .string(let value): hasher.combine(value)
        case .array(let value): hasher.combine(value)
        case .object(let value): hasher.combine(value)
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    /// Makes a string.
    public init(stringLiteral value: String) {
        self = .string(value)
    }

    /// Makes a number.
    public init(integerLiteral value: Int) {
        self = .number(JSONNumber(value))
    }

    /// Makes a boolean.
    public init(booleanLiteral value: Bool) {
        self = .bool(value)
    }
}

extension JSONValue: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    /// Makes an array.
    public init(arrayLiteral elements: JSONValue...) {
        self = .array(elements)
    }

    /// Makes an object with its members in the order written.
    ///
    /// Traps if two names are equal.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(distinct: elements))
    }
}

/// Comparison of texts as RFC 8259 §8.3 wants it: code point by code point, without normalization.
package enum CodePoints {
    /// Whether both are the same code points.
    @inline(__always)
    package static func equal(_ first: String, _ second: String) -> Bool {
        // The lengths tell most names apart, and cost nothing.
        first.utf8.count == second.utf8.count && haveEqualBytes(first, second)
    }

    private static func haveEqualBytes(_ first: String, _ second: String) -> Bool {
        let known = first.utf8.withContiguousStorageIfAvailable { first in
            second.utf8.withContiguousStorageIfAvailable { second in
                EqualBytes.are(UnsafeRawBufferPointer(first), UnsafeRawBufferPointer(second))
            }
        }
        return known.flatMap { $0 } ?? first.utf8.elementsEqual(second.utf8)
    }
}
