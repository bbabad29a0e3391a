// SPDX-License-Identifier: MIT

// An MCP server of revision 2026-07-28 with two tools, of which one needs another scope.

import PortcullisServer
import PortcullisTesting

let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 8080
let origin = "http://127.0.0.1:\(port)"

// An authorization server for this example, in the same process. In production it is somebody else's.
let login = try TestAuthorizationServer(.init(issuer: "\(origin)/login"))
login.register(clientID: "agent", secret: "agent-secret")

// snippet: example-6
var trusted = TrustedIssuer.jwt(issuer: login.issuer)
trusted.allowsInsecureLoopback = true  // for http on this machine; leave it out for https
var metadata = ProtectedResourceMetadata(resource: try ResourceIdentifier(validating: "\(origin)/mcp"))
metadata.authorizationServers = [login.issuer]
metadata.scopesSupported = ["notes:read", "notes:delete"]
var configuration = ProtectedResource.Configuration(metadata, trusting: [trusted])
configuration.profile = .mcp()
let mcp = try ProtectedResource(validating: configuration)

// The gate reads only fields. `answer` refuses a request whose body says something else.
let tools = AccessRequirement("notes:read").distinguishing(
    RequestOperation(["Mcp-Method": "tools/call", "Mcp-Name": "delete_notes"], scopes: ["notes:delete"]),
    others: .route)
let server = Server(port: port) { routes in
    login.mount(on: &routes)
    routes.protect(mcp) { $0.post("/", requiring: tools, answer) }
}
// end

@Sendable func answer(_ request: Request, _ token: AccessToken) async throws -> Response {
    guard let message = try await request.json(upTo: 65_536).object, let method = message["method"]?.string
    else {
        return failure(.badRequest, -32600, "Not a JSON-RPC message")
    }
    guard let id = message["id"] else { return Response(status: .accepted) }  // a notification
    let params = message["params"]?.object ?? [:]
    let version = params["_meta"]?.object?["io.modelcontextprotocol/protocolVersion"]?.string
    let name = method == "tools/call" ? params["name"]?.string : nil
    guard version == request.head.mirroredValue(of: "MCP-Protocol-Version"),
        method == request.head.mirroredValue(of: "Mcp-Method"),
        method != "tools/call" || name == request.head.mirroredValue(of: "Mcp-Name")
    else { return failure(.badRequest, -32020, "The header fields do not match the body", id: id) }
    guard version == "2026-07-28" else {
        let data: JSONValue = ["supported": ["2026-07-28"], "requested": .string(version ?? "")]
        return failure(.badRequest, -32022, "This version is not supported", id: id, data: data)
    }
    switch (method, name) {
    case ("server/discover", _):
        return success(
            id, ["supportedVersions": ["2026-07-28"], "capabilities": ["tools": [:]]], cached: true)
    case ("tools/list", _):
        let tools = ["list_notes", "delete_notes"].map { name -> JSONValue in
            ["name": .string(name), "inputSchema": ["type": "object"]]
        }
        return success(id, ["tools": .array(tools)], cached: true)
    case ("tools/call", "list_notes"):
        return success(id, ["content": [["type": "text", "text": "Buy milk"]]])
    case ("tools/call", "delete_notes"):
        return success(id, ["content": [["type": "text", "text": "The notes are deleted"]]])
    case ("tools/call", _): return failure(.badRequest, -32602, "There is no such tool", id: id)
    default: return failure(.notFound, -32601, "There is no such method", id: id)
    }
}

func success(_ id: JSONValue, _ result: JSONObject, cached: Bool = false) -> Response {
    var result = result
    result["resultType"] = "complete"
    if cached { result["ttlMs"] = 60_000 }
    if cached { result["cacheScope"] = "private" }
    return .json(["jsonrpc": "2.0", "id": id, "result": .object(result)])
}

func failure(
    _ status: Status, _ code: Int, _ message: String, id: JSONValue = .null, data: JSONValue? = nil
) -> Response {
    var error: JSONObject = ["code": .number(JSONNumber(code)), "message": .string(message)]
    error["data"] = data
    return .json(["jsonrpc": "2.0", "id": id, "error": .object(error)], status: status)
}

try await server.run(stoppingOn: [.terminate, .interrupt]) { _ in
    print(
        #"""
        # Paste these lines into another shell:
        token() { curl -s \#(login.issuer)/token -u agent:agent-secret -d grant_type=client_credentials \
            -d "scope=$1" -d resource=\#(origin)/mcp | sed 's/.*"access_token":"\([^"]*\)".*/\1/'; }
        curl -si \#(origin)/mcp -X POST
        """#)
}
