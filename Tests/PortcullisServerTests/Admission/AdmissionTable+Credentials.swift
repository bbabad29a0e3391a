// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP

extension AdmissionTable {
    /// RFC 6750 §2, §3, RFC 9449 §7.1: where a token is, and how many there are.
    static let credentials: [AdmissionCase] = [
        AdmissionCase("missing-credentials") { try await $0.send([]) },
        AdmissionCase("missing-credentials-where-dpop-is-accepted") {
            $0.takeDPoP($1.memory)
        } play: {
            try await $0.send([])
        },
        AdmissionCase("missing-credentials-where-dpop-is-required") {
            $0.takeDPoP($1.memory)
            $0.metadata.dpopBoundAccessTokensRequired = true
        } play: {
            try await $0.send([])
        },
        AdmissionCase("missing-credentials-with-any-of-two-scopes") { declaration, _ in
            declaration.requirement = .any(of: ["notes:write", "notes:read"])
        } play: {
            try await $0.send([])
        },
        AdmissionCase("missing-credentials-with-step-up") { declaration, _ in
            declaration.requirement = AccessRequirement("notes:read").authenticated(
                by: ["phr"], within: .seconds(60))
        } play: {
            try await $0.send([])
        },
        AdmissionCase("missing-credentials-where-forms-and-queries-hold-tokens") { declaration, _ in
            declaration.metadata.bearerMethodsSupported = [.header, .body, .query]
        } play: {
            try await $0.send([])
        },
        AdmissionCase("unsupported-scheme") { try await $0.send([("Authorization", "Basic YTpi")]) },
        AdmissionCase("unsupported-scheme-dpop-where-it-is-not-taken") {
            try await $0.dpop($0.stage.mint(), "a.b.c")
        },
        AdmissionCase("unsupported-scheme-query-where-it-is-not-taken") {
            try await $0.send(.get, "/notes?access_token=\($0.stage.mint())", [])
        },
        AdmissionCase("unsupported-scheme-where-dpop-is-accepted") {
            $0.takeDPoP($1.memory)
        } play: {
            try await $0.send([("Authorization", "Basic YTpi")])
        },
        AdmissionCase("unsupported-scheme-bearer-where-only-the-query-is-read") { declaration, _ in
            declaration.metadata.bearerMethodsSupported = [.query]
        } play: {
            try await $0.bearer($0.stage.mint())
        },
        AdmissionCase("empty-credentials") { try await $0.send([("Authorization", "Bearer")]) },
        AdmissionCase("empty-credentials-dpop") {
            $0.takeDPoP($1.memory)
        } play: {
            try await $0.send([("Authorization", "DPoP")])
        },
        AdmissionCase("empty-credentials-in-the-query") { declaration, _ in
            declaration.metadata.bearerMethodsSupported = [.query]
        } play: {
            try await $0.send(.get, "/notes?access_token=", [])
        },
        AdmissionCase("repeated-credentials") {
            let field = ("Authorization", "Bearer \($0.stage.mint())")
            try await $0.send([field, field])
        },
        AdmissionCase("repeated-credentials-where-dpop-is-accepted") {
            $0.takeDPoP($1.memory)
        } play: {
            let token = $0.stage.mint()
            try await $0.send([("Authorization", "Bearer \(token)"), ("Authorization", "DPoP \(token)")])
        },
        AdmissionCase("repeated-credentials-in-the-query") { declaration, _ in
            declaration.metadata.bearerMethodsSupported = [.header, .query]
        } play: {
            try await $0.send(.get, "/notes?access_token=a&access_token=b", [])
        },
        AdmissionCase("several-methods") { declaration, _ in
            declaration.metadata.bearerMethodsSupported = [.header, .query]
        } play: {
            let token = $0.stage.mint()
            try await $0.send(
                .get, "/notes?access_token=\(token)", [("Authorization", "Bearer \(token)")])
        },
        AdmissionCase("several-methods-with-dpop") { declaration, stage in
            declaration.takeDPoP(stage.memory)
            declaration.metadata.bearerMethodsSupported = [.header, .query]
        } play: {
            let token = $0.stage.mint(boundTo: $0.stage.client)
            try await $0.dpop(token, $0.stage.proof(for: token), target: "/notes?access_token=\(token)")
        },
        AdmissionCase("several-methods-form-and-query") { declaration, _ in
            declaration.metadata.bearerMethodsSupported = [.body, .query]
        } play: {
            let token = $0.stage.mint()
            try await $0.send(.post, "/notes?access_token=\(token)", [], content: "access_token=\(token)")
        },
        AdmissionCase("forbidden-origin") { declaration, _ in
            declaration.profile = .mcp(allowedOrigins: ["https://app.example.com"])
        } play: {
            let token = ("Authorization", "Bearer \($0.stage.mint())")
            try await $0.send([("Origin", "https://evil.example.com"), token])
            try await $0.send([("Origin", "https://app.example.com"), token])
            try await $0.send([("Origin", "https://evil.example.com")])
        },
    ]
}
