// SPDX-License-Identifier: MIT

import Foundation
import Portcullis
import PortcullisCommand
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("portcullis explain: advice about a line of the access log")
struct ExplainLogAdviceTests {
    static let issuer = TestIssuer("https://as.example.com")
    static let resource = "https://api.example.com/notes"

    /// A line as the server writes it for a refused token, explained with or without the file.
    private func advice(
        _ token: String, requiring requirement: AccessRequirement = .anyValidToken, hasFile: Bool
    ) async throws -> JSONObject {
        let gate = ProtectedResource(
            "https://api.example.com/notes", trusting: Self.issuer.trusted, scopes: ["notes:read"])
        let refusal: Refusal
        do throws(Refusal) {
            _ = try await gate.authorize(
                .get("/notes", bearer: token), requiring: requirement,
                in: AuthorizationContext(describesRefusals: true))
            return [:]
        } catch {
            refusal = error
        }
        var bytes: [UInt8] = []
        AccessLogLine(
            RequestSummary(
                route: "/notes", method: .get, status: refusal.status, isComplete: true,
                duration: .milliseconds(1), refusal: refusal.reason, finding: refusal.finding),
            client: "192.0.2.1", path: Array("/notes".utf8)[...], id: "a", resource: Self.resource
        ).append(.json, at: 1_700_000_000, to: &bytes)
        let folder = FileManager.default.temporaryDirectory.appending(path: "explain-log-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let log = folder.appending(path: "access.log").path
        try Data(bytes).write(to: URL(filePath: log))
        let shape = IssuerShape(name: "", configured: Self.issuer.issuer, end: .admitted)
        let file = folder.appending(path: "c.json").path
        try Data(shape.file(Self.issuer.keys).serialized()).write(to: URL(filePath: file))
        let transcript = Transcript()
        _ = await CommandLineTool.run(
            ["explain", "--request-id", "a", "--log", log, "--json"] + (hasFile ? ["--config", file] : []),
            console: transcript.console())
        return try #require(
            try JSONValue.parse(Array(transcript.output.utf8)).object, "\(transcript.errors)")
    }

    private func mint(
        scope: String? = "notes:read", _ claims: JSONObject = [:], omitting: [String] = [],
        typ: String = "at+jwt"
    ) -> String {
        Self.issuer.mint(
            audience: Self.resource, scope: scope, claims: claims, omitting: omitting,
            header: ["typ": .string(typ)])
    }

    @Test(arguments: [true, false])
    func `the line is enough for a setting of the resource`(hasFile: Bool) async throws {
        let place =
            hasFile
            ? "$.resources[0].tokens"
            : "$.resources[?@.metadata.resource=='https://api.example.com/notes'].tokens"
        let rows: [(String, JSONObject)] = [
            (mint(typ: "JWT"), ["types": ["at+jwt", "JWT"]]),
            (mint(["aud": "api://notes"]), ["audiences": [.string(Self.resource), "api://notes"]]),
            (mint(omitting: ["jti"]), ["required_claims": ["sub", "client_id", "iat"]]),
            (mint(scope: nil, ["scp": "notes:read"]), ["scope_claims": ["scope", "scp"]]),
        ]
        for (token, members) in rows {
            let found = try await advice(token, requiring: "notes:read", hasFile: hasFile)
            #expect(found["suggestion"]?.object == ["at": .string(place), "set": .object(members)])
        }
    }

    @Test func `with the file a setting of the issuer is found too`() async throws {
        let rows: [(String, JSONObject)] = [
            (
                mint(["azp": "c"], omitting: ["client_id"]),
                ["claims": ["client_id": ["/client_id", "/azp"]]]
            ),
            (
                mint(["token_use": "access"], omitting: ["aud"]),
                [
                    "required_claim_values": ["/token_use": ["access"]],
                    "audience_from": ["pointer": "/client_id", "values": ["client-1"]],
                ]
            ),
            (mint(["iss": "https://as.example.com/"]), ["issuer": "https://as.example.com/"]),
        ]
        for (token, members) in rows {
            let found = try await advice(token, hasFile: true)
            #expect(
                found["suggestion"]?.object
                    == ["at": "$.authorization_servers[0]", "set": .object(members)])
        }
    }

    @Test(arguments: [true, false])
    func `what has no sound setting in a line has none`(hasFile: Bool) async throws {
        for token in [
            mint(["aud": "https://other.example"]), mint(["exp": 1_700_000_000]), mint(["exp": "soon"]),
            mint(typ: "logout+jwt"), mint(["iss": "https://other.example"]), mint(scope: "other"),
            mint().split(separator: ".").dropLast().joined(separator: ".") + ".AAAA",
        ] {
            let found = try await advice(token, requiring: "notes:read", hasFile: hasFile)
            #expect(found["suggestion"] == .null && found["unsound"]?.string?.hasSuffix(".") == true)
        }
    }
}
