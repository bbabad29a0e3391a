// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// What was found instead of what a key's value must be.
enum FoundValue {
    /// The type of a value, where a string might be a secret.
    static func type(of value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "true or false"
        case .number: "a number"
        case .string(let text): text.isEmpty ? "an empty string" : "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// The text of a value that cannot be a secret: a word of a closed list, a number, true or false.
    static func text(of value: JSONValue) -> String {
        switch value {
        case .bool(let bool): "\(bool)"
        case .number(let number): JSONPath.escape(number.text)
        case .string(let text): "\"" + JSONPath.escape(text) + "\""
        case .null, .array, .object: type(of: value)
        }
    }
}
