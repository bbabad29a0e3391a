// SPDX-License-Identifier: MIT

/// A JSON value in a token, a JWK set or a metadata document.
///
/// Strings are compared code point by code point: canonically equivalent strings, which Swift's `String`
/// treats as equal, are different here if their bytes differ.
///
/// RFC 8259 §3, §8.3.
public enum JSONValue: Sendable {
    /// The literal `null`.
    case null
    /// The literals `true` and `false`.
    case bool(Bool)
    /// A number, in its original spelling.
    case number(JSONNumber)
    /// A string.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object with distinct member names.
    case object(JSONObject)

    /// The boolean, or `nil` if this is another type.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The number, or `nil` if this is another type.
    public var number: JSONNumber? {
        if case .number(let value) = self { value } else { nil }
    }

    /// The string, or `nil` if this is another type.
    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The elements, or `nil` if this is not an array.
    public var array: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The object, or `nil` if this is another type.
    public var object: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The elements of an array of strings, or `nil` if this is anything else.
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

    /// Hashes the value.
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
    /// Creates a string.
    public init(stringLiteral value: String) {
        self = .string(value)
    }

    /// Creates a number.
    public init(integerLiteral value: Int) {
        self = .number(JSONNumber(value))
    }

    /// Creates a boolean.
    public init(booleanLiteral value: Bool) {
        self = .bool(value)
    }
}

extension JSONValue: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    /// Creates an array.
    public init(arrayLiteral elements: JSONValue...) {
        self = .array(elements)
    }

    /// Creates an object with the members in the order written.
    ///
    /// Traps if two names are equal.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(distinct: elements))
    }
}

/// String comparison of RFC 8259 §8.3: code point by code point, without normalization.
package enum CodePoints {
    /// Whether both have the same code points.
    @inline(__always)
    package static func equal(_ first: String, _ second: String) -> Bool {
        // Most names differ in length, which is cheap to compare.
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
