// SPDX-License-Identifier: MIT

extension JSONValue {
    /// The type of the value, for a log, without any part of it: "a number", "an array with a number".
    package var typePhrase: String {
        guard let elements = array else { return ownTypePhrase }
        if elements.isEmpty { return "an empty array" }
        guard let other = elements.first(where: { $0.string == nil }) else { return "an array of strings" }
        return "an array with \(other.ownTypePhrase)"
    }

    private var ownTypePhrase: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
