// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting

extension AdmissionTable {
    private static func play(
        _ name: String, _ requirement: AccessRequirement, _ play: @escaping AdmissionCase.Play
    ) -> AdmissionCase {
        AdmissionCase(name, { declaration, _ in declaration.requirement = requirement }, play: play)
    }

    /// RFC 6750 §3.1: routes that take a token or none.
    static let optional: [AdmissionCase] = [
        play("admitted-without-a-token", .validTokenOrNone) { try await $0.send([]) },
        play("admitted-optionally-with-a-token", .validTokenOrNone) {
            try await $0.bearerTwice($0.stage.mint())
        },
        play("admitted-without-a-token-by-an-unknown-scheme", .validTokenOrNone) {
            try await $0.send([("Authorization", "Basic dXNlcjpwYXNzd29yZA==")])
            try await $0.send([("Authorization", "DPoP abc")])
            try await $0.send([("Authorization", "")])
        },
        play("refused-optionally-with-bad-credentials", .validTokenOrNone) {
            try await $0.bearer($0.stage.mint(claims: ["exp": 1]))
            try await $0.send([("Authorization", "Bearer")])
            try await $0.send([("Authorization", "Basic a"), ("Authorization", "Bearer b")])
        },
        AdmissionCase("refused-optionally-where-the-body-has-a-bad-token") { declaration, _ in
            declaration.metadata.bearerMethodsSupported = [.header, .body]
            declaration.requirement = .validTokenOrNone
        } play: {
            try await $0.send(.post, "/notes", [], content: "access_token=nonsense")
            try await $0.send(.post, "/notes", [], content: "x=1")
        },
        play("admitted-optionally-only-if-nothing-is-demanded", .validTokenOrNone.senderConstrained()) {
            try await $0.send([])
        },
        AdmissionCase("forbidden-origin-without-a-token") { declaration, _ in
            declaration.profile = .mcp(allowedOrigins: [])
            declaration.requirement = .validTokenOrNone
        } play: {
            try await $0.send([("Origin", "https://evil.example")])
            try await $0.send([("Origin", "https://api.example.com")])
        },
    ]

    private static let notes = AccessRequirement("notes:read").distinguishing(
        RequestOperation(["Mcp-Method": "tools/call", "Mcp-Name": "delete_note"], scopes: ["notes:write"]),
        RequestOperation(["Mcp-Method": "tools/call"]),
        RequestOperation.withOptionalToken(["Mcp-Method": "tools/list"]))

    private static let noteOrAnything = AccessRequirement("notes:read").distinguishing(
        RequestOperation(["Mcp-Method": "tools/call", "Mcp-Name": "delete_note"], scopes: ["notes:write"]),
        others: .route)

    private static let deletion = [("Mcp-Method", "tools/call"), ("Mcp-Name", "delete_note")]

    private static func operations(
        _ name: String, requiring requirement: AccessRequirement = notes, scope: String = "notes:read",
        _ requests: [(String, String)]...
    ) -> AdmissionCase {
        play(name, requirement) { scene in
            let token = ("Authorization", "Bearer " + scene.stage.mint(scope: scope))
            for fields in requests { try await scene.send([token] + fields) }
        }
    }

    private static func underMCP(_ name: String, _ requests: [(String, String)]...) -> AdmissionCase {
        AdmissionCase(name) { declaration, _ in
            declaration.profile = .mcp(allowedOrigins: [])
            declaration.requirement = notes
        } play: { scene in
            let token = ("Authorization", "Bearer " + scene.stage.mint(scope: "notes:read notes:write"))
            for fields in requests { try await scene.send([token] + fields) }
        }
    }

    /// MCP 2026-07-28, SEP-2243: scopes by operation.
    static let operations: [AdmissionCase] = [
        operations(
            "admitted-operation", scope: "notes:read notes:write", deletion,
            [("mcp-method", "tools/call"), ("MCP-NAME", "=?base64?ZGVsZXRlX25vdGU=?=")],
            [("Mcp-Method", "tools/call"), ("Mcp-Name", "read_note")]),
        operations(
            "insufficient-scope-of-an-operation", deletion,
            [("Mcp-Method", "tools/call"), ("Mcp-Name", "=?base64?ZGVsZXRlX25vdGU=?=")]),
        operations("insufficient-scope-of-a-route-with-operations", scope: "notes:write", deletion),
        operations(
            "ambiguous-operation", deletion + [("Mcp-Name", "delete_note")],
            deletion + [("Mcp_Name", "read_note")], deletion + [("Connection", "close, mcp-name")]),
        operations(
            "malformed-operation",
            [("Mcp-Method", "tools/call"), ("Mcp-Name", "=?base64?ZGVsZXRlX25vdGU?=")],
            [("Mcp-Method", "tools/call"), ("Mcp-Name", "=?base64?ZGVsZXRlX25vdGU=")]),
        operations("missing-operation", [], [("Mcp-Method", "tools/other")]),
        operations(
            "unlisted-operation", [("Mcp-Method", "TOOLS/CALL"), ("Mcp-Name", "delete_note")],
            [("Mcp-Method", "tools/call, tools/list"), ("Mcp-Name", "")]),
        operations(
            "admitted-other-operation", requiring: noteOrAnything, [], [("Mcp-Method", "tools/other")],
            [("Mcp-Method", "tools/call"), ("Mcp-Name", "read_note")]),
        operations("ambiguous-other-operation", requiring: noteOrAnything, deletion + deletion),
        play("missing-credentials-for-an-operation", notes) {
            try await $0.send(deletion)
            try await $0.send([("Mcp-Method", "tools/call"), ("Mcp-Name", "read_note")])
            try await $0.send([])
            try await $0.send(deletion + deletion)
        },
        play("admitted-operation-without-a-token", notes) {
            try await $0.send([("Mcp-Method", "tools/list")])
            try await $0.send([("Authorization", "Basic YTpi"), ("Mcp-Method", "tools/list")])
            try await $0.bearer("nonsense")
            try await $0.bearerTwice($0.stage.mint())
        },
        underMCP(
            "unversioned-operation", deletion, deletion + [("MCP-Protocol-Version", "2025-11-25")],
            deletion + [("MCP-Protocol-Version", "2026-07-28"), ("MCP-Protocol-Version", "2026-07-28")],
            deletion + [("MCP-Protocol-Version", "2026-07-28, 2026-07-28")],
            deletion + [("MCP-Protocol-Version", "DRAFT-2026")]),
        underMCP(
            "admitted-operation-under-mcp", deletion + [("MCP-Protocol-Version", "2026-07-28")],
            deletion + [("Mcp-Protocol-Version", "2027-01-01")]),
        AdmissionCase("missing-credentials-of-an-unversioned-operation") { declaration, _ in
            declaration.profile = .mcp(allowedOrigins: [])
            declaration.requirement = notes
        } play: {
            try await $0.send([("Mcp-Method", "tools/list")])
            try await $0.send([("Mcp-Method", "tools/list"), ("MCP-Protocol-Version", "2026-07-28")])
        },
    ]

    private static let admins = AccessRequirement("notes:read").holding(
        ClaimCondition("/realm_access/roles", contains: "admin"),
        ClaimCondition("/department", equals: "sales"))

    private static func claims(_ name: String, _ sets: JSONObject...) -> AdmissionCase {
        play(name, admins) { scene in
            for (index, claims) in sets.enumerated() {
                try await scene.bearer(scene.stage.mint("token \(index)", claims: claims))
            }
        }
    }

    /// RFC 6750 §3.1: conditions on claims.
    static let claimConditions: [AdmissionCase] = [
        claims(
            "claim-condition-unmet", ["realm_access": ["roles": ["admin"]]],
            ["realm_access": ["roles": "admin"], "department": "sales"],
            ["realm_access": ["roles": ["administrator", "ADMIN"]], "department": "sales"],
            ["realm_access": ["roles": ["admin"]], "department": ["sales"]],
            ["realm_access": ["roles": ["admin"]], "department": .null]),
        claims(
            "admitted-with-claim-conditions",
            ["realm_access": ["roles": ["user", "admin"]], "department": "sales"]),
        play("claim-condition-unmet-of-a-known-token", admins) {
            try await $0.bearerTwice($0.stage.mint())
        },
    ]

    private static func decision(
        _ name: String, _ answer: @escaping ExternalDecision.Evaluate
    ) -> AdmissionCase {
        play(name, AccessRequirement("notes:read").decided(by: ExternalDecision(answer))) {
            try await $0.bearerTwice($0.stage.mint())
        }
    }

    private struct Failure: Error {}

    /// AuthZEN 1.0 §6: decisions of the app.
    static let decisions: [AdmissionCase] = [
        decision("admitted-by-decision") { question in
            AccessEvaluationResponse(
                decision: question.subject.id == "user-1" && question.action.name == "GET"
                    && question.resource.id == "/notes")
        },
        decision("denied-by-decision") { _ in .deny("outside office hours") },
        decision("denied-by-decision-without-reason") { _ in AccessEvaluationResponse(decision: false) },
        decision("decision-unavailable") { _ in throw Failure() },
        decision("decision-unavailable-without-answer") { _ in nil },
        play(
            "decision-unavailable-in-time",
            AccessRequirement.anyValidToken.decided(
                by: ExternalDecision(timeout: .milliseconds(1)) { _ in
                    try await Task.sleep(for: .seconds(60))
                    return .permit
                })
        ) { try await $0.bearer($0.stage.mint()) },
    ]

    private static func scopes(_ name: String, _ scope: ChallengeScope) -> AdmissionCase {
        AdmissionCase(name) { declaration, _ in
            declaration.challengeScope = scope
            declaration.requirement = "notes:write"
        } play: { scene in
            let stage = scene.stage
            try await scene.send([])
            try await scene.bearer("nonsense")
            try await scene.bearer(stage.mint("narrow token"))
            let strong = AccessRequirement("notes:write").authenticated(by: ["phr"])
            try await scene.bearer(stage.mint("token", scope: "notes:write"), requiring: strong)
        }
    }

    /// MCP 2026-07-28, "Scope Challenge Handling".
    static let challengeScopes: [AdmissionCase] = [
        scopes("challenge-scope-of-the-resource", .resource), scopes("challenge-scope-none", .none),
    ]
}
