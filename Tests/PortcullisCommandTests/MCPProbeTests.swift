// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisCommand
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

/// A scripted MCP server behind a gate, which tests break.
struct MCPWorld {
    let world = Deployment()
    static let result: JSONValue = ["jsonrpc": "2.0", "id": 1, "result": ["tools": []]]

    static func error(_ code: Int) -> JSONValue {
        ["jsonrpc": "2.0", "id": 1, "error": ["code": .number(JSONNumber(code)), "message": "no"]]
    }

    static func answer(_ json: JSONValue, status: Status = .ok, _ fields: Fields = [:]) -> FetchResponse {
        var all: Fields = [.contentType: "application/json", "Strict-Transport-Security": "max-age=1"]
        for field in fields { all[field.name] = field.value }
        return FetchResponse(status: status, fields: all, body: json.serialized())
    }

    static let challenge = FetchResponse(
        status: .unauthorized,
        fields: [
            .wwwAuthenticate: Deployment.challenge, .cacheControl: "no-store",
            "Strict-Transport-Security": "max-age=1",
        ])

    /// A response to one message, or `nil` for the right one.
    typealias Rule = @Sendable (FetchRequest, _ method: String) -> FetchResponse?

    /// Refuses calls without a token, foreign origins and GET; then answers by the revision.
    static func respond(
        _ request: FetchRequest, isOpen: Bool, isAllowed: @Sendable (String) -> Bool = { _ in true },
        _ rule: Rule = { _, _ in nil }
    ) -> FetchResponse {
        if request.method == .options {
            return FetchResponse(
                status: .noContent,
                fields: [
                    "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "Authorization",
                ])
        }
        if request.method != .post, let answer = rule(request, "") { return answer }
        guard request.method == .post else {
            return FetchResponse(status: .methodNotAllowed, fields: [.allow: "POST"])
        }
        let body = (try? JSONValue.parse(request.body))?.object ?? [:]
        let method = body["method"]?.string ?? ""
        if let answer = rule(request, method) { return answer }
        if request.fields.contains(.origin) { return FetchResponse(status: .forbidden) }
        let token = request.fields[.authorization]
        guard isOpen || token.map(isAllowed) == true else {
            guard token != nil else { return challenge }
            return FetchResponse(
                status: .unauthorized,
                fields: [.wwwAuthenticate: Deployment.challenge + ", error=\"invalid_token\""])
        }
        if method == "initialize" { return answer(error(-32_601), status: .notFound) }
        if request.fields["MCP-Protocol-Version"] != "2026-07-28" {
            return answer(error(-32_022), status: .badRequest)
        }
        if request.fields["Mcp-Method"] != method { return answer(error(-32_020), status: .badRequest) }
        return answer(result)
    }

    func serve(isOpen: Bool = false, _ rule: @escaping Rule = { _, _ in nil }) {
        let script: ScriptedFetcher.Script = { request in
            Self.respond(request, isOpen: isOpen, isAllowed: { _ in false }, rule)
        }
        world.network.on(Deployment.resource, script)
        world.network.on("\(Deployment.resource)?access_token=portcullis-check.not-a-token", script)
    }

    func report(isMCP: Bool = true) async -> CheckReport {
        await ResourceCheck(fetcher: world.network, allowsLoopback: false, isMCP: isMCP)
            .report(on: Deployment.resource)
    }
}

@Suite("Probes of MCP servers without a token")
struct MCPProbeTests {
    let server = MCPWorld()

    @Test func `CHK-20: the 401 is looked for on POST, and 405 on GET is right`() async {
        server.serve()
        let report = await server.report()
        #expect(report.codes(.warn, .fail) == [])
        #expect(report.codes(.pass).contains("challenge.status"))
        let call = server.world.network.requests.first { $0.url == Deployment.resource }
        #expect(call?.method == .post)
        #expect(call?.fields["MCP-Protocol-Version"] == "2026-07-28")
        #expect(call?.fields["Mcp-Method"] == "tools/list")
        #expect(call?.fields[.accept] == "application/json, text/event-stream")
    }

    @Test func `CHK-20: a server that answers 405 on GET and JSON-RPC on POST is found without --mcp`() async
    {
        server.serve(isOpen: true)
        let report = await server.report(isMCP: false)
        #expect(report.codes(.fail).contains("mcp.open"))
        #expect(report.codes(.note).contains("probe.method"))
    }

    @Test func `CHK-20: a server with a stream for GET answers 406, and is found by its answer to POST`()
        async
    {
        server.serve(isOpen: true) { request, _ in
            request.method == .get ? FetchResponse(status: Status(code: 406)) : nil
        }
        #expect(await server.report(isMCP: false).codes(.fail).contains("mcp.open"))
        let page = "https://api.example.com/page"
        server.world.network.on(page) { request in
            FetchResponse(status: request.method == .get ? Status(code: 406) : .methodNotAllowed)
        }
        let check = ResourceCheck(fetcher: server.world.network, allowsLoopback: false)
        let report = await check.report(on: page)
        #expect(report.findings.first { $0.code == "challenge.status" }?.text.contains("406") == true)
        #expect(!report.findings.contains { $0.code.hasPrefix("mcp.") })
    }

    @Test func `CHK-20: a resource that answers GET is not called as an MCP server`() async {
        _ = await server.world.report()
        #expect(!server.world.network.requests.contains { $0.fields.contains("Mcp-Method") })
    }

    @Test func `CHK-20: a POST that is not 401 is reported`() async {
        server.serve { request, _ in
            request.fields.contains(.authorization) ? nil : FetchResponse(status: .forbidden)
        }
        #expect(await server.report().codes(.warn).contains("challenge.status"))
    }

    @Test func `CHK-21: a list of tools or a session without a token is a failure`() async {
        server.serve()
        #expect(await server.report().codes(.pass).contains("mcp.open"))
        for open in ["tools/list", "initialize"] {
            server.serve { _, method in method == open ? MCPWorld.answer(MCPWorld.result) : nil }
            #expect(await server.report().codes(.fail).contains("mcp.open"), "\(open)")
        }
        server.serve { request, method in
            guard method == "tools/list", !request.fields.contains(.origin) else { return nil }
            let event =
                "event: message\ndata: " + String(decoding: MCPWorld.result.serialized(), as: UTF8.self)
            return FetchResponse(
                status: .ok, fields: [.contentType: "text/event-stream"], body: Array("\(event)\n\n".utf8))
        }
        #expect(await server.report().codes(.fail).contains("mcp.open"))
        server.serve { _, _ in MCPWorld.answer(MCPWorld.error(-32_600)) }
        #expect(!(await server.report().codes(.fail).contains("mcp.open")))
    }

    @Test(arguments: [(403, true), (401, false), (200, false)])
    func `CHK-22: a foreign Origin is refused with 403`(status: Int, isRight: Bool) async {
        server.serve { request, _ in
            request.fields.contains(.origin) ? FetchResponse(status: Status(code: status)) : nil
        }
        let report = await server.report()
        #expect(report.codes(.warn).contains("mcp.origin") == !isRight)
        #expect(report.codes(.pass).contains("mcp.origin") == isRight)
    }

    @Test func `CHK-23: unknown versions and mirrored fields are judged where a message has a result`() async
    {
        server.serve(isOpen: true)
        let right = await server.report()
        #expect(right.codes(.pass).contains("mcp.version") && right.codes(.pass).contains("mcp.mirror"))
        server.serve(isOpen: true) { _, method in
            method == "tools/list" ? MCPWorld.answer(MCPWorld.result) : nil
        }
        let wrong = await server.report()
        #expect(wrong.codes(.warn).contains("mcp.version") && wrong.codes(.warn).contains("mcp.mirror"))
        server.serve()
        let closed = await server.report()
        #expect(!closed.findings.contains { ["mcp.version", "mcp.mirror"].contains($0.code) })
    }

    @Test func `CHK-24: a session under 2026-07-28 is a warning`() async {
        server.serve(isOpen: true) { request, method in
            method == "tools/list" && !request.fields.contains(.origin)
                ? MCPWorld.answer(MCPWorld.result, ["Mcp-Session-Id": "a"]) : nil
        }
        #expect(await server.report().codes(.warn).contains("mcp.session"))
        server.serve(isOpen: true)
        #expect(!(await server.report().codes(.warn).contains("mcp.session")))
    }

    @Test(arguments: [
        ("0123456789", false), ("0123456789abcdef", false), ("5f0c1a9e-2b7d-4e8f-9a6b-3c5d7e9f1a2b", true),
        ("Xq3vZ9kLmN8pR2sT5uW7yA", true),
    ])
    func `CHK-24: session identifiers have room for 128 bits`(identifier: String, isLongEnough: Bool) async {
        server.serve(isOpen: true) { _, method in
            method == "initialize" ? MCPWorld.answer(MCPWorld.result, ["Mcp-Session-Id": identifier]) : nil
        }
        #expect(await server.report().codes(.warn).contains("mcp.session") == !isLongEnough)
    }

    @Test func `CHK-24: a session in a URL is a warning`() async {
        server.serve(isOpen: true) { request, method in
            guard method == "initialize" else { return nil }
            return FetchResponse(
                status: .ok, fields: [.contentType: "text/event-stream"],
                body: Array("event: endpoint\ndata: /messages?sessionId=1234\n\n".utf8))
        }
        #expect(await server.report().codes(.warn).contains("mcp.session"))
    }

    @Test func `CHK-32: in MCP mode missing PKCE is a failure`() async {
        server.serve()
        server.world.serveIssuer(omitting: ["code_challenge_methods_supported"])
        #expect(await server.report().codes(.fail) == ["server.pkce"])
        server.world.serveIssuer(["code_challenge_methods_supported": ["plain"]])
        #expect(await server.report().codes(.fail) == ["server.pkce"])
    }
}
