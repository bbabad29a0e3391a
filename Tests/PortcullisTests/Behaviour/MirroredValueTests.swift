// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import Testing

@Suite("MCP 2026-07-28 Streamable HTTP: values copied into fields")
struct MirroredValueTests {
    private func value(of name: FieldName, _ fields: [(String, String)]) throws -> String? {
        try RequestHead(method: .post, target: "/mcp", fields: fields).mirroredValue(of: name)
    }

    @Test(
        arguments: [
            ("list_notes", "list_notes"), ("=?base64?SGVsbG8sIOS4lueVjA==?=", "Hello, 世界"),
            ("=?base64?IHBhZGRlZCA=?=", " padded "), ("=?base64?bGluZTEKbGluZTI=?=", "line1\nline2"),
            ("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", "=?base64?literal?="),
            ("=?BASE64?YQ==?=", "=?BASE64?YQ==?="),
            ("=?base64?YQ=?=", nil), ("=?base64?YQ==", nil), ("=?base64?/w==?=", nil),
        ] as [(String, String?)])
    func `names and parameters are decoded`(field: String, value: String?) throws {
        #expect(try self.value(of: "Mcp-Name", [("mcp-name", field)]) == value)
        #expect(try self.value(of: "Mcp-Param-City", [("Mcp-Param-City", field)]) == value)
    }

    @Test func `other fields are as they are`() throws {
        #expect(try value(of: "Mcp-Method", [("Mcp-Method", "tools/call")]) == "tools/call")
        #expect(try value(of: "Mcp-Method", [("Mcp-Method", "=?base64?YQ==?=")]) == "=?base64?YQ==?=")
    }

    @Test func `an absent and a repeated field have no value`() throws {
        #expect(try value(of: "Mcp-Name", []) == nil)
        #expect(try value(of: "Mcp-Name", [("Mcp-Name", "a"), ("Mcp-Name", "a")]) == nil)
    }
}
