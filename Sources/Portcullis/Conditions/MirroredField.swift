// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// The fields into which clients of MCP copy parts of the body, and the encoding of their values.
///
/// MCP 2026-07-28, Streamable HTTP, "Value Encoding"; SEP-2243.
enum MirroredField {
    private static let name: FieldName = "Mcp-Name"
    private static let prefix = Array("mcp-param-".utf8)
    private static let opening = Array("=?base64?".utf8)
    private static let closing = Array("?=".utf8)

    /// Whether values of a field may be encoded.
    static func isMirrored(_ field: FieldName) -> Bool {
        field == name || field.spelling.utf8.map(CharacterClass.lowercase).starts(with: prefix)
    }

    /// The value that a field stands for, or `nil` if it is malformed.
    ///
    /// A value that begins like an encoded one is one: a reader that finds no end and takes it as it is would
    /// read another value than a reader that decodes it. Outside the encoding there is only ASCII without
    /// control characters, since another reader may take other bytes for other characters.
    static func decoded(_ value: ArraySlice<UInt8>) -> [UInt8]? {
        guard value.starts(with: opening) else {
            return value.allSatisfy { (0x20...0x7E).contains($0) } ? Array(value) : nil
        }
        let rest = value.dropFirst(opening.count)
        guard rest.count >= closing.count, rest.suffix(closing.count).elementsEqual(closing),
            let bytes = Base64.decode(Array(rest.dropLast(closing.count))),
            String(validating: bytes, as: UTF8.self) != nil
        else { return nil }
        return bytes
    }
}
