// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9396 §9 Authorization details")
struct RFC9396_9_AuthorizationDetails {
    static let needed = AuthorizationDetail(
        type: "payment", actions: ["initiate"], members: ["amount": ["currency": "EUR", "value": 50]])
    static let granted: JSONValue = [
        "type": "payment", "actions": ["initiate", "cancel"], "amount": ["value": 50, "currency": "EUR"],
        "locations": [.string(Scene.identifier), "https://other.example"],
    ]

    struct Payment: Decodable {
        struct Amount: Decodable { var value: Int }
        var amount: Amount
    }

    let clock = ManualClock()
    let issuer: TestIssuer

    init() {
        issuer = TestIssuer("https://as.example.com", time: clock.time)
    }

    private func resource(
        _ types: [String] = ["payment"], _ change: (inout TokenPolicy) -> Void = { _ in }
    ) throws -> ProtectedResource {
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.authorizationDetailsTypesSupported = types
        var policy = TokenPolicy()
        change(&policy)
        return try ProtectedResource(
            validating: .init(metadata, trusting: [issuer.trusted], tokens: policy, time: clock.time))
    }

    private func refusal(
        _ claim: JSONValue?, _ needed: AuthorizationDetail = needed, by resource: ProtectedResource? = nil
    ) async throws -> Refusal? {
        var claims: JSONObject = [:]
        claims["authorization_details"] = claim
        let token = issuer.mint(audience: Scene.identifier, scope: "pay", claims: claims)
        let judge = if let resource { resource } else { try self.resource() }
        return await judge.refusal(
            of: .get("/notes", bearer: token), requiring: AccessRequirement("pay").covering(needed))
    }

    @Test func `§9.1: a grant that covers the required details suffices`() async throws {
        #expect(try await refusal([Self.granted]) == nil)
        #expect(try await refusal([["type": "other"], Self.granted]) == nil)
    }

    @Test func `§9.1: malformed details are reported to the operator, at intervals`() async throws {
        let events = EventLog()
        func resource(_ types: [String]) throws -> ProtectedResource {
            var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
            metadata.authorizationDetailsTypesSupported = types
            return try ProtectedResource(
                validating: .init(
                    metadata, trusting: [issuer.trusted], time: clock.time,
                    onEvent: { events.append($0) }))
        }
        let judge = try resource(["payment"])
        #expect(try await refusal([Self.granted], by: judge) == nil)
        #expect(events.all == [])
        let told = ResourceEvent.malformedAuthorizationDetails(
            issuer: "https://as.example.com", resource: "https://api.example.com/notes")
        for claim in ["x", [["actions": []]], [1], ["type": "payment"]] as [JSONValue] {
            #expect(try await refusal(claim, by: judge)?.reason == .insufficientAuthorizationDetails)
        }
        #expect(events.all == [told])
        clock.advance(by: .seconds(60))
        #expect(try await refusal([["type": 1]], by: judge)?.reason == .insufficientAuthorizationDetails)
        #expect(events.all == [told, told])
        // A resource that does not use details ignores them.
        _ = try await refusal("x", by: resource([]))
        #expect(events.all.count == 2)
    }

    @Test func `§9.2: an introspected grant counts alike`() async throws {
        let fetcher = ScriptedFetcher()
        fetcher.on(
            "https://as.example.com/introspect",
            json: [
                "active": true, "aud": .string(Scene.identifier), "authorization_details": [Self.granted],
            ])
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.authorizationDetailsTypesSupported = ["payment"]
        let resource = try ProtectedResource(
            validating: .init(
                metadata,
                trusting: [
                    .introspection(
                        issuer: "https://as.example.com", endpoint: "https://as.example.com/introspect",
                        authenticatedBy: .clientSecretBasic(id: "a", secret: "b"))
                ], fetcher: fetcher))
        let requirement = AccessRequirement.anyValidToken.covering(Self.needed)
        let token = try await resource.authorize(.get("/notes", bearer: "opaque"), requiring: requirement)
        #expect(token.authorizationDetails.map(\.type) == ["payment"])
        #expect(token.authorizationDetails.first?.actions == ["initiate", "cancel"])
    }

    @Test func `by default the answer is that of a missing scope`() async throws {
        let refusal = try await refusal(nil)
        expectRefused(refusal, .insufficientAuthorizationDetails)
        #expect(refusal?.status == .forbidden)
        let text = "The access token lacks required authorization details"
        #expect(
            refusal?.challenges.map(\.description) == [
                #"Bearer resource_metadata="\#(Scene.metadataURL)", scope="pay", "#
                    + #"error="insufficient_scope", "#
                    + #"error_description="\#(text)""#
            ])
        #expect(
            refusal.map { String(decoding: $0.body, as: UTF8.self) }
                == #"{"error":"insufficient_scope","error_description":"\#(text)"}"#)
    }

    @Test
    func
        `draft-zehavi-oauth-rar-metadata: if switched on, a separate code names the required details`()
        async throws
    {
        let refusal = try await refusal(nil, by: resource { $0.challengesAuthorizationDetails = true })
        #expect(refusal?.status == .forbidden)
        #expect(refusal?.challenges.first?["error"] == "insufficient_authorization_details")
        let body = try refusal.map { try JSONValue.parse($0.body).object }
        #expect(body??["error"]?.string == "insufficient_authorization_details")
        #expect(body??["authorization_details"] == [.object(Self.needed.json)])
        #expect(refusal?.head.fields[.cacheControl] == "no-store")
    }

    @Test(
        arguments: [
            .null, "payment", [:], [], ["payment"], [[:]], [["type": 1]], [["type": ""]],
            [granted, ["actions": ["x"]]], [granted, ["type": "payment", "actions": "x"]],
            [granted, ["type": "payment", "locations": [1]]],
            [["type": "Payment", "actions": ["initiate"], "amount": ["currency": "EUR", "value": 50]]],
            [["type": "payment", "actions": ["cancel"], "amount": ["currency": "EUR", "value": 50]]],
            [["type": "payment", "amount": ["currency": "EUR", "value": 50]]],
            [["type": "payment", "actions": ["initiate"], "amount": ["currency": "EUR", "value": 51]]],
            [["type": "payment", "actions": ["initiate"]]],
            [
                [
                    "type": "payment", "actions": ["initiate"], "amount": ["currency": "EUR", "value": 50],
                    "locations": ["https://other.example"],
                ]
            ],
            [
                [
                    "type": "payment", "actions": ["initiate"], "amount": ["currency": "EUR", "value": 50],
                    "locations": [],
                ]
            ],
        ] as [JSONValue])
    func `§9: malformed, different or narrower details grant nothing`(claim: JSONValue) async throws {
        expectRefused(try await refusal(claim), .insufficientAuthorizationDetails)
    }

    @Test func `§5: a type that the resource does not know grants nothing`() async throws {
        let resource = try resource(["other"])
        expectRefused(try await refusal([Self.granted], by: resource), .insufficientAuthorizationDetails)
        let requirement = AccessRequirement.anyValidToken.covering(Self.needed)
        #expect(resource.undeclaredTypes(in: requirement) == ["payment"])
    }

    @Test func `§2: a type's evaluator applies the type's semantics`() async throws {
        let resource = try resource { policy in
            policy.authorizationDetailEvaluators = [
                AuthorizationDetailEvaluator(type: "payment", as: Payment.self) { granted, needed in
                    granted.amount.value >= needed.amount.value
                }
            ]
        }
        let grant = { (value: JSONValue) -> JSONValue in [["type": "payment", "amount": value]] }
        #expect(try await refusal(grant(["value": 50]), by: resource) == nil)
        #expect(try await refusal(grant(["value": 100]), by: resource) == nil)
        for value in [["value": 49], ["value": "100"], [:], 100] as [JSONValue] {
            expectRefused(try await refusal(grant(value), by: resource), .insufficientAuthorizationDetails)
        }
    }

    @Test func `RFC 9728 §2: the metadata lists evaluated types`() {
        let found = problems { () throws(ConfigurationError) in
            var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
            metadata.authorizationDetailsTypesSupported = ["payment"]
            var policy = TokenPolicy()
            policy.authorizationDetailEvaluators = [.memberwise(type: "payment"), .memberwise(type: "other")]
            _ = try ProtectedResource(
                validating: .init(metadata, trusting: [self.issuer.trusted], tokens: policy))
        }
        #expect(found.map(\.path) == ["tokens.authorizationDetailEvaluators[1]"])
    }

    @Test func `a handler may require details that depend on the data`() async throws {
        let resource = try resource()
        let token = issuer.mint(
            audience: Scene.identifier, claims: ["authorization_details": [Self.granted]])
        let access = try await resource.authorize(.get("/notes", bearer: token))
        try access.require(.anyValidToken.covering(Self.needed))
        let more = AuthorizationDetail(type: "payment", actions: ["refund"])
        let refusal = #expect(throws: Refusal.self) { try access.require(.anyValidToken.covering(more)) }
        expectRefused(refusal, .insufficientAuthorizationDetails)
    }
}
