// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// How a resource is called.
enum CallForm: Sendable, Hashable {
    /// By GET.
    case get
    /// By POST of an empty JSON object.
    case post
    /// By POST of a message of the Model Context Protocol that asks for the tools.
    case mcp
    /// By POST of a message that begins a session, as clients before MCP 2026-07-28 do.
    case mcpSession

    /// Whether it is a message of the Model Context Protocol.
    var isMCP: Bool { self == .mcp || self == .mcpSession }

    var method: Method { self == .get ? .get : .post }

    /// The fields of a call.
    var fields: Fields {
        switch self {
        case .get: [.accept: "application/json"]
        case .post: [.accept: "application/json", .contentType: "application/json"]
        case .mcp: MCPCall.toolsList().fields
        case .mcpSession: MCPCall.initialize.fields
        }
    }

    /// The body of a call.
    var body: [UInt8] {
        switch self {
        case .get: []
        case .post: Array("{}".utf8)
        case .mcp: MCPCall.toolsList().body
        case .mcpSession: MCPCall.initialize.body
        }
    }
}
