// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE

/// A message of the Model Context Protocol that changes nothing at the server.
struct MCPCall: Sendable {
    /// The revision without sessions.
    static let revision = "2026-07-28"
    /// The last revision with sessions.
    static let sessionRevision = "2025-11-25"

    let fields: Fields
    let body: [UInt8]

    /// Asks for the tools.
    ///
    /// - Parameters:
    ///   - version: The revision, in the field and in the body.
    ///   - method: The method that the field names; the body's is `tools/list`.
    static func toolsList(version: String = revision, method: String = "tools/list") -> MCPCall {
        let message: JSONObject = [
            "jsonrpc": "2.0", "id": 1, "method": "tools/list",
            "params": [
                "_meta": [
                    "io.modelcontextprotocol/protocolVersion": .string(version),
                    "io.modelcontextprotocol/clientInfo": ["name": "portcullis-check", "version": "1"],
                    "io.modelcontextprotocol/clientCapabilities": [:],
                ]
            ],
        ]
        var fields = commonFields
        fields["MCP-Protocol-Version"] = version
        fields["Mcp-Method"] = method
        return MCPCall(fields: fields, body: message.serialized())
    }

    /// Begins a session, as clients before 2026-07-28 do.
    static var initialize: MCPCall {
        let message: JSONObject = [
            "jsonrpc": "2.0", "id": 1, "method": "initialize",
            "params": [
                "protocolVersion": .string(sessionRevision), "capabilities": [:],
                "clientInfo": ["name": "portcullis-check", "version": "1"],
            ],
        ]
        return MCPCall(fields: commonFields, body: message.serialized())
    }

    private static var commonFields: Fields {
        [.accept: "application/json, text/event-stream", .contentType: "application/json"]
    }
}

/// What a server answered to a message.
enum MCPAnswer: Sendable, Hashable {
    /// A JSON-RPC result.
    case result
    /// A JSON-RPC error with its code.
    case error(Int)
    /// No JSON-RPC message.
    case other

    /// Reads the first message of a response: of a JSON body, or of an event stream.
    init(_ response: FetchResponse) {
        let bytes =
            Self.isEventStream(response) ? Self.firstEvent(in: response.body) : response.body
        guard let object = (try? JSONValue.parse(bytes))?.object, object["jsonrpc"] == "2.0" else {
            self = .other
            return
        }
        if let error = object["error"]?.object {
            self = .error(error["code"]?.number?.integer ?? 0)
        } else {
            self = object["result"] == nil ? .other : .result
        }
    }

    static func isEventStream(_ response: FetchResponse) -> Bool {
        ASCII.lowercased(response.fields[.contentType] ?? "").hasPrefix("text/event-stream")
    }

    /// The data of the first event that has any.
    private static func firstEvent(in body: [UInt8]) -> [UInt8] {
        let name = Array("data:".utf8)
        for line in body.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) where line.starts(with: name) {
            return Array(line.dropFirst(name.count))
        }
        return []
    }
}
