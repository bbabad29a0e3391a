// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

/// An access token as a server writes it, and the settings that read it.
struct ServerShape: Sendable, CustomTestStringConvertible {
    let name: String
    /// Claims that replace or complete `iss`, `aud`, `exp`, `iat`.
    let claims: JSONObject
    var header: JSONObject = ["typ": "at+jwt"]
    var types = ["at+jwt"]
    var required = ["sub", "client_id", "iat", "jti"]
    var scopeClaims = ["scope"]
    var mapping = ClaimMapping.default
    var subject: String? = "user-1"
    var clientID: String? = "client-1"
    var scopes: [Scope] = ["notes:read", "openid"]

    var testDescription: String { name }

    static let all: [ServerShape] = [
        ServerShape(
            name: "Spring Authorization Server",
            claims: ["sub": "user-1", "scope": ["notes:read", "openid"], "nbf": 1_800_000_000, "jti": "1"],
            header: [:], types: [""], required: ["sub"], clientID: nil),
        ServerShape(
            name: "IdentityServer",
            claims: [
                "sub": "user-1", "client_id": "client-1", "scope": ["notes:read", "openid"], "jti": "1",
                "amr": ["pwd"], "idp": "local", "auth_time": 1_800_000_000,
            ]),
        ServerShape(
            name: "PingAM",
            claims: [
                "sub": "user-1", "cts": "OAUTH2_STATELESS_GRANT", "auditTrackingId": "1", "subname": "user-1",
                "tokenName": "access_token", "token_type": "Bearer", "client_id": "client-1",
                "scope": ["notes:read", "openid"], "realm": "/", "expires_in": 3600, "jti": "1",
            ], header: ["typ": "JWT"], types: ["JWT"]),
        ServerShape(
            name: "Keycloak",
            claims: [
                "sub": "user-1", "azp": "client-1", "typ": "Bearer", "jti": "1", "sid": "1", "acr": "1",
                "realm_access": ["roles": ["notes:read", "openid", "Data Reader", "é"]],
                "resource_access": ["account": ["roles": ["view-profile"]]], "scope": "profile email",
            ], header: ["typ": "JWT"], types: ["JWT"],
            mapping: ClaimMapping(clientID: ["/client_id", "/azp"], scopes: ["/realm_access/roles"])),
        ServerShape(
            name: "Auth0",
            claims: [
                "sub": "user-1", "azp": "client-1", "gty": "password", "scope": "profile",
                "permissions": ["notes:read", "openid"],
            ], header: ["typ": "JWT"], types: ["JWT"], required: ["sub", "client_id", "iat"],
            mapping: ClaimMapping(clientID: ["/azp"], scopes: ["/permissions", "/scope"])),
        ServerShape(
            name: "Okta",
            claims: [
                "ver": 1, "jti": "1", "cid": "client-1", "uid": "00u", "scp": ["notes:read", "openid"],
                "sub": "user-1",
            ], header: [:], types: [""], scopeClaims: ["scp"], mapping: ClaimMapping(clientID: ["/cid"])),
        ServerShape(
            name: "Entra ID v2, delegated",
            claims: [
                "azp": "client-1", "azpacr": "1", "oid": "1", "scp": "notes:read openid", "sub": "user-1",
                "tid": "1", "uti": "1", "ver": "2.0", "nbf": 1_800_000_000, "aio": "x", "name": .null,
            ], header: ["typ": "JWT"], types: ["JWT"], required: ["sub", "client_id", "iat"],
            mapping: ClaimMapping(clientID: ["/azp", "/appid"], scopes: ["/scp", "/roles"])),
        ServerShape(
            name: "Entra ID v1, application",
            claims: [
                "appid": "client-1", "appidacr": "1", "idp": "x", "oid": "1", "sub": "user-1", "tid": "1",
                "roles": ["notes:read", "openid"], "uti": "1", "ver": "1.0",
            ], header: ["typ": "JWT"], types: ["JWT"], required: ["sub", "client_id", "iat"],
            mapping: ClaimMapping(clientID: ["/azp", "/appid"], scopes: ["/scp", "/roles"])),
        ServerShape(
            name: "LemonLDAP::NG, client credentials",
            claims: [
                "sub": .null, "client_id": "client-1", "scope": "notes:read openid", "jti": "1", "sid": .null,
            ], required: ["client_id", "iat", "jti"], subject: nil),
        ServerShape(
            name: "a claim with a URL as its name",
            claims: [
                "sub": "user-1", "client_id": "client-1", "jti": "1",
                "https://example.com/roles": "notes:read openid",
            ], mapping: ClaimMapping(scopes: ["/https:~1~1example.com~1roles"])),
    ]

    func token(_ scene: ShapeScene) -> String {
        scene.issuer.sign(header: header, payload: scene.base(claims).serialized())
    }
}

/// A resource that reads tokens as a shape says.
struct ShapeScene {
    let clock = ManualClock()
    let events = EventLog()
    let issuer: TestIssuer
    let resource: ProtectedResource

    init(_ change: (inout TokenPolicy, inout TrustedIssuer) -> Void) {
        issuer = TestIssuer("https://as.example.com", time: clock.time)
        var policy = TokenPolicy()
        var trusted = issuer.trusted
        change(&policy, &trusted)
        resource = ProtectedResource(
            "https://api.example.com/notes", trusting: trusted, scopes: ["notes:read"], tokens: policy,
            time: clock.time, onEvent: { [events] in events.append($0) })
    }

    init(_ shape: ServerShape) {
        self.init { policy, trusted in
            policy.acceptedTypes = shape.types
            policy.requiredClaims = shape.required
            policy.scopeClaims = shape.scopeClaims
            trusted.claims = shape.mapping
        }
    }

    /// The claims that every server writes, and others.
    func base(_ others: JSONObject) -> JSONObject {
        var claims: JSONObject = [
            "iss": "https://as.example.com", "aud": "https://api.example.com/notes",
            "exp": 1_800_003_600, "iat": 1_800_000_000,
        ]
        for member in others.members { claims[member.name] = member.value }
        return claims
    }

    func mint(_ claims: JSONObject = [:], omitting: [String] = []) -> String {
        issuer.mint(audience: Scene.identifier, scope: nil, claims: claims, omitting: omitting)
    }

    func authorize(_ token: String) async throws -> AccessToken {
        try await resource.authorize(.get("/notes", bearer: token))
    }

    func refusal(of token: String, requiring requirement: AccessRequirement = .anyValidToken) async
        -> Refusal?
    {
        await resource.refusal(of: .get("/notes", bearer: token), requiring: requirement)
    }

    /// The expected and the actual value at the refused step.
    func finding(of token: String) async -> String? {
        await resource.refusal(
            of: .get("/notes", bearer: token), in: AuthorizationContext(describesRefusals: true))?.finding?
            .description
    }
}

@Suite("RFC 9068 §2.2 Where servers write the client and the scopes")
struct RFC9068_2_2_ClaimMapping {
    @Test(arguments: ServerShape.all)
    func `a token is read as its server writes it`(shape: ServerShape) async throws {
        let scene = ShapeScene(shape)
        let token = try await scene.authorize(shape.token(scene))
        #expect(token.subject == shape.subject)
        #expect(token.clientID == shape.clientID)
        #expect(token.scopes == shape.scopes)
        #expect(token.carries("notes:read"))
        // All claims reach the handler as they are.
        for member in shape.claims.members { #expect(token.claims[member.name] == member.value) }
    }

    @Test(arguments: ServerShape.all)
    func `nothing else is widened`(shape: ServerShape) async {
        let scene = ShapeScene(shape)
        var other = shape.claims
        other["aud"] = "https://api.example.com/photos"
        let foreign = ServerShape(name: "", claims: other, header: shape.header).token(scene)
        expectRefused(await scene.refusal(of: foreign), .audienceMismatch)
        other["aud"] = "https://api.example.com/notes"
        other["at_hash"] = "x"
        let identity = ServerShape(name: "", claims: other, header: shape.header).token(scene)
        expectRefused(await scene.refusal(of: identity), .idToken)
    }

    @Test func `the first pointer with a value counts, and null is no value`() async throws {
        let scene = ShapeScene {
            $1.claims = ClaimMapping(clientID: ["/azp", "/client_id"], scopes: ["/a", "/b"])
        }
        let both = try await scene.authorize(scene.mint(["azp": "first", "a": "x", "b": "y"]))
        #expect(both.clientID == "first")
        #expect(both.scopes == ["x"])
        let second = try await scene.authorize(scene.mint(["azp": .null, "a": .null, "b": ["y", "z"]]))
        #expect(second.clientID == "client-1")
        #expect(second.scopes == ["y", "z"])
        // Present and empty: no scopes, and no look at the next pointer.
        #expect(try await scene.authorize(scene.mint(["a": [], "b": "y"])).scopes == [])
        #expect(try await scene.authorize(scene.mint(["a": "", "b": "y"])).scopes == [])
        #expect(try await scene.authorize(scene.mint(["scope": "y"])).scopes == [])
    }

    @Test(
        arguments: [
            ("azp", 5, "azp: a number"), ("azp", ["a": 1], "azp: an object"), ("azp", true, "azp: a boolean"),
            ("azp", ["a", "b"], "azp: an array of strings"),
            ("azp", ["a", 1], "azp: an array with a number"),
            ("roles", 5, "roles: a number"), ("roles", ["a", 1], "roles: an array with a number"),
            ("roles", ["a": "b"], "roles: an object"), ("roles", [.null], "roles: an array with null"),
        ] as [(String, JSONValue, String)])
    func `a mapped claim of another type is refused, with its name and type`(
        name: String, value: JSONValue, found: String
    ) async {
        let scene = ShapeScene { $1.claims = ClaimMapping(clientID: ["/azp"], scopes: ["/roles"]) }
        let token = scene.mint([name: value])
        expectRefused(await scene.refusal(of: token), .malformedClaims)
        #expect(await scene.finding(of: token)?.hasSuffix("got \(found)") == true)
    }

    @Test(
        arguments: [5, true, ["a": "b"], ["a", 1], [["a"]], ["a b"], "a\"b"] as [JSONValue])
    func `without a mapping too`(scope: JSONValue) async {
        let scene = Scene()
        await scene.expectInvalid(
            scene.mint(claims: ["scope": scope]), .malformedClaims, PublicText.malformed)
    }

    @Test func `client_id may be an array of one string`() async throws {
        let scene = Scene()
        let head = RequestHead.get("/notes", bearer: scene.mint(claims: ["client_id": ["one"]]))
        #expect(try await scene.resource.authorize(head).clientID == "one")
        for value in [["a", "b"], [1], 1, true] as [JSONValue] {
            await scene.expectInvalid(
                scene.mint(claims: ["client_id": value]), .malformedClaims, PublicText.malformed)
        }
    }

    @Test func `a mapped client satisfies required_claims, an absent one does not`() async throws {
        let scene = ShapeScene { $1.claims = ClaimMapping(clientID: ["/azp", "/cid"]) }
        let token = try await scene.authorize(scene.mint(["cid": "other"], omitting: ["client_id"]))
        #expect(token.clientID == "other")
        for claims in [[:], ["cid": .null], ["appid": "x"], ["cid": []], ["azp": []]] as [JSONObject] {
            expectRefused(
                await scene.refusal(of: scene.mint(claims, omitting: ["client_id"])), .missingClaim)
        }
        #expect(
            await scene.finding(of: scene.mint(omitting: ["client_id"]))?.hasSuffix("without client_id")
                == true)
        // Another required claim is not satisfied by it.
        expectRefused(await scene.refusal(of: scene.mint(["azp": "x"], omitting: ["sub"])), .missingClaim)
    }

    @Test func `an empty array of clients does not satisfy required_claims`() async {
        let scene = ShapeScene { _, _ in }
        expectRefused(await scene.refusal(of: scene.mint(["client_id": []])), .missingClaim)
    }

    @Test func `one issuer's settings do not apply to another's tokens`() async throws {
        let clock = ManualClock()
        let one = TestIssuer("https://one.example.com", time: clock.time)
        let two = TestIssuer("https://two.example.com", time: clock.time)
        var mapped = one.trusted
        mapped.claims = ClaimMapping(clientID: ["/azp"], scopes: ["/roles"])
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: mapped, two.trusted, time: clock.time)
        let claims: JSONObject = ["azp": "a", "roles": ["r"]]
        let first = one.mint(audience: Scene.identifier, scope: "s", claims: claims)
        let second = two.mint(audience: Scene.identifier, scope: "s", claims: claims)
        let firstToken = try await resource.authorize(.get("/notes", bearer: first))
        let secondToken = try await resource.authorize(.get("/notes", bearer: second))
        #expect(firstToken.clientID == "a" && firstToken.scopes == ["r"])
        #expect(secondToken.clientID == "client-1" && secondToken.scopes == ["s"])
    }

    @Test func `the lists are bounded`() {
        let issuer = TestIssuer("https://as.example.com")
        func paths(_ change: (inout TrustedIssuer) -> Void) -> [String?] {
            var trusted = issuer.trusted
            change(&trusted)
            let configuration = ProtectedResource.Configuration(
                ProtectedResourceMetadata(resource: "https://api.example.com/notes"), trusting: [trusted])
            return problems { () throws(ConfigurationError) in
                _ = try ProtectedResource(validating: configuration)
            }.map(\.path)
        }
        #expect(paths { $0.claims.clientID = [] } == ["issuers[0].claims.clientID"])
        #expect(paths { $0.claims.scopes = [] } == ["issuers[0].claims.scopes"])
        #expect(paths { $0.claims.scopes = Array(repeating: "/a", count: 17) }.count == 1)
        #expect(paths { $0.claims.scopes = Array(repeating: "/a", count: 16) } == [])
        let values = ClaimValues("/a", ["b"])
        #expect(paths { $0.requiredClaimValues = Array(repeating: values, count: 17) }.count == 1)
        #expect(paths { $0.requiredClaimValues = [ClaimValues("/a", [])] }.count == 1)
        #expect(paths { $0.requiredClaimValues = [ClaimValues("/a", [""])] }.count == 1)
        #expect(
            paths {
                $0.requiredClaimValues = [ClaimValues("/a", Array(repeating: "v", count: 1001))]
            }.count == 1)
    }
}

@Suite("RFC 7519 §4 A claim that is null is absent")
struct RFC7519_4_NullClaims {
    @Test(arguments: ["nbf", "scope", "cnf", "acr", "authorization_details", "nonce", "at_hash", "token_use"])
    func `an optional claim`(name: String) async throws {
        let scene = ShapeScene { _, _ in }
        let token = try await scene.authorize(scene.mint([name: .null]))
        #expect(token.scopes == [])
        #expect(token.binding == .none)
        #expect(scene.events.all == [])
    }

    @Test(arguments: ["sub", "client_id", "iat", "jti"])
    func `a required claim is missing, and may be if it is not required`(name: String) async throws {
        let strict = ShapeScene { _, _ in }
        expectRefused(await strict.refusal(of: strict.mint([name: .null])), .missingClaim)
        let lenient = ShapeScene { policy, _ in policy.requiredClaims = [] }
        let token = try await lenient.authorize(lenient.mint([name: .null]))
        if name == "sub" { #expect(token.subject == nil) }
        if name == "client_id" { #expect(token.clientID == nil) }
    }

    @Test(arguments: [
        ("iss", RefusalReason.unknownIssuer), ("aud", .audienceMismatch), ("exp", .missingClaim),
    ])
    func `the claims that are always required stay so`(name: String, reason: RefusalReason) async {
        let scene = ShapeScene { policy, _ in policy.requiredClaims = [] }
        expectRefused(await scene.refusal(of: scene.mint([name: .null])), reason)
    }

    @Test func `a confirmation method that is null is never treated as unbound`() async {
        let scene = ShapeScene { _, _ in }
        for confirmation in [["jkt": .null], [:], ["other": .null]] as [JSONValue] {
            expectRefused(
                await scene.refusal(of: scene.mint(["cnf": confirmation])), .unprovenPossession)
        }
    }
}
