// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// JSON with line breaks, for people.
enum JSONText {
    private static let maxLineLength = 80

    /// The text of a value, indented by two spaces a level; short arrays and objects stay on one line.
    static func indented(_ value: JSONValue, by depth: Int = 0) -> String {
        let line = String(decoding: value.serialized(), as: UTF8.self)
        let inner = String(repeating: "  ", count: depth + 1)
        let end = "\n" + String(repeating: "  ", count: depth)
        switch value {
        case .object(let object) where holdsObjects(value) || line.count + inner.count > maxLineLength:
            let members = object.members.map { member in
                let name = String(decoding: JSONValue.string(member.name).serialized(), as: UTF8.self)
                return "\(inner)\(name): \(indented(member.value, by: depth + 1))"
            }
            return "{\n" + members.joined(separator: ",\n") + end + "}"
        case .array(let array) where holdsObjects(value) || line.count + inner.count > maxLineLength:
            return "[\n" + array.map { inner + indented($0, by: depth + 1) }.joined(separator: ",\n") + end
                + "]"
        default: return line
        }
    }

    private static func holdsObjects(_ value: JSONValue) -> Bool {
        let values = value.array ?? value.object?.members.map(\.value) ?? []
        return values.contains { $0.object != nil || holdsObjects($0) }
    }
}
