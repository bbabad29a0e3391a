// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("FWA-09, MCX-12 Optional tokens and operations at the forward-auth endpoint", .timeLimit(.minutes(1)))
struct ForwardAuthOperations {
    private static let identifier = "https://api.example.com/rpc"

    private static let declare: @Sendable (inout Routes, GuardedSite) -> Void = { routes, site in
        guard let resource = try? site.resource(identifier, scopes: ["tools:write"]) else { return }
        routes.optionallyProtect(resource) { api in
            api.get("/") { _, _ in .text("not run") }
            api.get("/private", requiring: .anyValidToken) { _, _ in .text("not run") }
            api.post(
                "/",
                requiring: AccessRequirement.anyValidToken.distinguishing(
                    .withOptionalToken(["Mcp-Method": "tools/list"]),
                    RequestOperation(["Mcp-Method": "tools/call"], scopes: ["tools:write"]))
            ) { _, _ in .text("not run") }
        }
    }

    private static func bearer(_ stage: ForwardAuthStage, _ scope: String = "") -> String {
        stage.site.bearer(for: identifier, scope: scope)
    }

    @Test(arguments: ForwardAuthFamily.allCases)
    func `a request without credentials passes without an identity, one with a token with it`(
        family: ForwardAuthFamily
    ) async throws {
        try await ForwardAuthStage.run(family, .init(routes: Self.declare)) { stage async throws in
            for fields in [[], ["Authorization: Basic YTpi"]] {
                let nobody = try await stage.server.exchange(stage.carrier("/rpc", "GET", fields))
                #expect(nobody.status == 200)
                #expect(nobody["x-portcullis-subject"] == "" && nobody["x-portcullis-resource"] == "")
            }
            let known = try await stage.ask("/rpc", "GET", Self.bearer(stage))
            #expect(known.status == 200 && known["x-portcullis-subject"] == "user-1")
            #expect(try await stage.ask("/rpc", "GET", "Authorization: Bearer a.b.c").status == 401)
            #expect(try await stage.ask("/rpc", "GET", "Authorization: Bearer").status == family.mapped(400))
            #expect(try await stage.ask("/rpc/private").status == 401)
            #expect(try await stage.ask("/rpc/unregistered").status == 401)
        }
    }

    @Test(arguments: ForwardAuthFamily.allCases)
    func `operations are told by the fields of the carrier`(family: ForwardAuthFamily) async throws {
        try await ForwardAuthStage.run(family, .init(routes: Self.declare)) { stage async throws in
            func ask(_ fields: String...) async throws -> Reply {
                try await stage.server.exchange(stage.carrier("/rpc", "POST", fields))
            }
            let token = Self.bearer(stage)
            #expect(try await ask("Mcp-Method: tools/list").status == 200)
            let identity = try await ask("Mcp-Method: tools/list", token)["x-portcullis-subject"]
            #expect(identity == "user-1")
            #expect(try await ask("Mcp-Method: tools/call").status == 401)
            let narrow = try await ask("Mcp-Method: tools/call", token)
            #expect(narrow.status == 403)
            #expect(narrow["www-authenticate"]?.contains("scope=\"tools:write\"") == true)
            #expect(try await ask("Mcp-Method: tools/call", Self.bearer(stage, "tools:write")).status == 200)
            #expect(try await ask(token).status == family.mapped(400))
            #expect(try await ask("Mcp-Method: tools/other", token).status == 403)
            #expect(
                try await ask("Mcp-Method: tools/list", "Mcp-Method: tools/call", token).status
                    == family.mapped(400))
        }
    }
}
