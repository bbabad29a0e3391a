// SPDX-License-Identifier: MIT

import Foundation
import Portcullis
import PortcullisConfiguration
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

/// The guides to authorization servers: their code and their file admit the server's tokens for the API, and
/// nothing else.
@Suite("Guides to authorization servers")
struct GuideTests {
    /// A guide, and the token that its server issues once it is set up as the guide says.
    struct Guide: Sendable, CustomTestStringConvertible {
        let name: String
        let shape: IssuerShape
        var changes: JSONObject = [:]
        var scope: Scope? = "notes:read"
        /// Which JSON block of the article.
        var block = 0
        /// The code; `nil` for a block that the article has as a file only.
        var code: (@Sendable (JWKSet) -> ProtectedResource)?

        var testDescription: String { "\(name) \(block)" }
        var requirement: AccessRequirement {
            scope.map { scope -> AccessRequirement in [scope] } ?? .anyValidToken
        }
    }

    private static func shape(_ name: String) -> IssuerShape {
        IssuerShape.all.first { $0.name == name } ?? IssuerShape(name: name, configured: "", end: .unsound)
    }

    private static let resource = JSONValue.string(IssuerShape.resource)

    private static let auth0: IssuerShape = {
        var shape = Self.shape("Auth0")
        shape.header = ["typ": "at+jwt"]
        shape.claims["azp"] = nil
        shape.claims["client_id"] = .string(IssuerShape.client)
        shape.claims["jti"] = "j"
        shape.claims["scope"] = "openid notes:read"
        return shape
    }()

    private static let google = IssuerShape(
        name: "Google, a service account's ID token", configured: "https://accounts.google.com",
        header: ["typ": "JWT"],
        claims: [
            "aud": resource, "azp": "110000000000000000001", "sub": "110000000000000000001",
            "email": "job@project.iam.gserviceaccount.com", "email_verified": true,
        ], end: .admitted)

    static let guides = [
        Guide(
            name: "Keycloak", shape: shape("Keycloak with an audience mapper"),
            changes: ["scope": "openid notes:read"], code: GuidedResources.keycloak),
        Guide(name: "Keycloak", shape: shape("Keycloak with an audience mapper"), block: 1),
        Guide(name: "Auth0", shape: auth0, code: GuidedResources.auth0),
        Guide(
            name: "Auth0", shape: shape("Auth0"), changes: ["scope": "openid notes:read"], block: 1),
        Guide(name: "EntraID", shape: shape("Entra ID v2"), code: GuidedResources.entraID),
        Guide(name: "EntraID", shape: shape("Entra ID v1"), changes: ["aud": resource], block: 1),
        Guide(name: "Okta", shape: shape("Okta"), changes: ["aud": resource], code: GuidedResources.okta),
        Guide(
            name: "Cognito", shape: shape("Amazon Cognito"),
            changes: ["aud": resource, "scope": "https://api.example.com/notes/read"],
            scope: "https://api.example.com/notes/read", code: GuidedResources.cognito),
        Guide(
            name: "Cognito", shape: shape("Amazon Cognito"),
            changes: ["scope": "https://api.example.com/notes/read"],
            scope: "https://api.example.com/notes/read", block: 1),
        Guide(name: "Google", shape: google, scope: nil, code: GuidedResources.google),
        Guide(
            name: "Authentik", shape: shape("authentik"), changes: ["aud": resource],
            code: GuidedResources.authentik),
        Guide(name: "Hydra", shape: shape("Ory Hydra"), code: GuidedResources.hydra),
        Guide(
            name: "LemonLDAP", shape: shape("LemonLDAP::NG with an additional audience"),
            code: GuidedResources.lemonldap),
    ]

    /// Every guide has a file that was tried.
    @Test func `each article about a server is tested`() throws {
        let folder = Self.root.appending(path: Self.folder)
        let articles = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .map { $0.replacingOccurrences(of: ".md", with: "") }
        #expect(Set(articles) == Set(Self.guides.map(\.name)).union(["Zitadel"]))
    }

    @Test(arguments: GuideTests.guides) func `code and file admit the server's token`(guide: Guide)
        async throws
    {
        let issuer = TestIssuer(guide.shape.tokenIssuer, algorithm: .rs256)
        let token = guide.shape.token(by: issuer, changing: guide.changes)
        for resource in try Self.resources(guide, issuer.keys) {
            let accepted = try await resource.authorize(
                .get("/notes", bearer: token), requiring: guide.requirement)
            #expect(accepted.issuer == guide.shape.tokenIssuer && accepted.clientID != nil)
        }
    }

    @Test(arguments: GuideTests.guides) func `code and file refuse every other token`(guide: Guide)
        async throws
    {
        let issuer = TestIssuer(guide.shape.tokenIssuer, algorithm: .rs256)
        let stranger = TestIssuer(guide.shape.tokenIssuer, algorithm: .rs256)
        let client = JSONValue.string(IssuerShape.client)
        var others: [(String, JSONObject)] = [
            ("another audience", ["aud": "https://other.example"]), ("another API", ["aud": "api://other"]),
            ("the client as audience", ["aud": client]),
            ("another issuer", ["iss": "https://other.example"]),
            ("an ID token", ["aud": client, "nonce": "n", "token_use": "id"]),
            ("an ID token of a code flow", ["at_hash": "x"]), ("an expired token", ["exp": 1_700_000_000]),
            ("no subject and no client", ["sub": .null, "azp": .null, "cid": .null, "client_id": .null]),
        ]
        if guide.scope == nil {
            others.append(("another subject", ["sub": "110000000000000000002"]))
        }
        for resource in try Self.resources(guide, issuer.keys) {
            for (name, more) in others {
                var changes = guide.changes
                for member in more.members { changes[member.name] = member.value }
                let token = guide.shape.token(by: issuer, changing: changes)
                #expect(await !Self.admits(resource, token, guide.requirement), "\(name) is admitted")
            }
            let forged = guide.shape.token(by: stranger, changing: guide.changes)
            #expect(await !Self.admits(resource, forged, guide.requirement))
        }
    }

    /// What the articles say cannot be made sound is refused.
    @Test(arguments: [
        ("Keycloak", "Keycloak without an audience mapper"), ("Google", "Google, an access token"),
        ("EntraID", "Entra ID v2, a token for Microsoft Graph"), ("Google", "Google, an ID token"),
        ("Authentik", "authentik"), ("LemonLDAP", "LemonLDAP::NG, the client alone"), ("Okta", "Okta"),
    ])
    func `a token that is not for the API is refused`(name: String, shapeName: String) async throws {
        let guide = try #require(Self.guides.first { $0.name == name })
        let shape = Self.shape(shapeName)
        let issuer = TestIssuer(shape.tokenIssuer, algorithm: .rs256)
        for resource in try Self.resources(guide, issuer.keys) {
            #expect(await !Self.admits(resource, shape.token(by: issuer), .anyValidToken))
        }
    }

    /// The setting that accepts more than its default is explained: a row of the article names it.
    @Test(arguments: Set(GuideTests.guides.map(\.name)).union(["Zitadel"]))
    func `each relaxation has its reason in the article`(name: String) throws {
        let article = try Self.article(name)
        let blocks = Self.jsonBlocks(of: article)
        #expect(!blocks.isEmpty)
        for block in blocks {
            let file = try ConfigurationFile(parsing: Array(block.utf8))
            for warning in file.warnings {
                let setting = warning.path.components(separatedBy: "[0].").dropFirst().joined(
                    separator: "[0].")
                #expect(article.contains("| `\(setting)` |"), "\(name): \(warning)")
            }
        }
    }

    // MARK: Zitadel, which is asked about each token

    private static let zitadelAnswer: JSONObject = [
        "active": true, "iss": "https://example.zitadel.cloud", "sub": "1", "client_id": "2300@notes",
        "aud": ["2300@notes", "2302@notes", "2301"], "scope": "openid profile", "token_type": "Bearer",
        "exp": 4_000_000_000, "iat": 1_700_000_000, "jti": "j",
        "urn:zitadel:iam:org:project:2301:roles": ["reader": ["2200": "example.zitadel.cloud"]],
    ]

    private static func zitadel(answering answer: JSONObject) -> ProtectedResource {
        let fetcher = ScriptedFetcher()
        fetcher.on(
            "https://example.zitadel.cloud/.well-known/oauth-authorization-server", status: .notFound)
        fetcher.on(
            "https://example.zitadel.cloud/.well-known/openid-configuration",
            json: [
                "issuer": "https://example.zitadel.cloud",
                "introspection_endpoint": "https://example.zitadel.cloud/oauth/v2/introspect",
                "jwks_uri": "https://example.zitadel.cloud/oauth/v2/keys",
            ])
        fetcher.on("https://example.zitadel.cloud/oauth/v2/introspect", json: .object(answer))
        return GuidedResources.zitadel(fetcher, secret: "s")
    }

    @Test func `Zitadel's answer about a token for the API's project is accepted`() async throws {
        let head = RequestHead.get("/notes", bearer: "opaque")
        let token = try await Self.zitadel(answering: Self.zitadelAnswer).authorize(
            head, requiring: GuidedResources.reader)
        #expect(token.clientID == "2300@notes")
        let rows: [(JSONObject, RefusalReason)] = [
            (["aud": ["2400@other", "2401"]], .audienceMismatch), (["active": false], .inactiveToken),
            (["aud": .null], .audienceMismatch), (["iss": "https://other.example"], .unknownIssuer),
            (
                [
                    "urn:zitadel:iam:org:project:2301:roles": [
                        "reader": ["2999": "example.zitadel.cloud"]
                    ]
                ], .claimConditionUnmet
            ),
        ]
        for (changes, reason) in rows {
            var answer = Self.zitadelAnswer
            for member in changes.members { answer[member.name] = member.value }
            let refusal = await #expect(throws: Refusal.self) {
                try await Self.zitadel(answering: answer).authorize(
                    head, requiring: GuidedResources.reader)
            }
            #expect(refusal?.reason == reason)
        }
    }

    // MARK: The articles

    private static let folder = "Sources/Portcullis/Portcullis.docc/Issuers"
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func article(_ name: String) throws -> String {
        try String(contentsOf: root.appending(path: "\(folder)/\(name).md"), encoding: .utf8)
    }

    private static func jsonBlocks(of article: String) -> [String] {
        article.components(separatedBy: "```json\n").dropFirst().map {
            $0.components(separatedBy: "\n```")[0]
        }
    }

    /// The resource of the article's file with the issuer's keys, and that of its code.
    private static func resources(_ guide: Guide, _ keys: JWKSet) throws -> [ProtectedResource] {
        let blocks = jsonBlocks(of: try article(guide.name))
        let text = try #require(blocks.dropFirst(guide.block).first)
        var file = try #require(try JSONValue.parse(Array(text.utf8)).object)
        var servers = file["authorization_servers"]?.array?.compactMap(\.object) ?? []
        if servers.isEmpty { servers = [["issuer": .string(guide.shape.tokenIssuer)]] }
        for index in servers.indices {
            servers[index]["jwks_uri"] = nil
            servers[index]["jwks"] = .object(keys.publicJSON)
        }
        file["authorization_servers"] = .array(servers.map(JSONValue.object))
        let code = guide.code.map { [$0(keys)] } ?? []
        return [try ExplainAdviceTests.resource(file)] + code
    }

    private static func admits(
        _ resource: ProtectedResource, _ token: String, _ requirement: AccessRequirement
    ) async -> Bool {
        (try? await resource.authorize(.get("/notes", bearer: token), requiring: requirement)) != nil
    }
}
