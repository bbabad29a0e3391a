// SPDX-License-Identifier: MIT

public import PortcullisHTTP

extension RequestHead {
    /// The value of a field into which a client of MCP copies a part of the body: `MCP-Protocol-Version`,
    /// `Mcp-Method`, `Mcp-Name` or `Mcp-Param-…`.
    ///
    /// A server compares it with the body, and refuses the request if they differ; the gate never reads
    /// bodies, but judges operations by these fields. See ``RequestOperation``. The values of `Mcp-Name` and
    /// `Mcp-Param-…` are decoded.
    ///
    /// `nil` if the field is absent, repeated, or malformed.
    ///
    /// MCP 2026-07-28, Streamable HTTP, "Server Validation", "Value Encoding"; SEP-2243.
    public func mirroredValue(of name: FieldName) -> String? {
        guard let (range, count) = find(name), count == 1 else { return nil }
        guard MirroredField.isMirrored(name) else { return text(range) }
        return MirroredField.decoded(bytes[range]).map { String(decoding: $0, as: UTF8.self) }
    }
}
