// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9068 §2.2.3, RFC 8259 §8.3 Conditions on claims")
struct RFC9068_5_ClaimConditions {
    private func claims(_ text: String) throws -> JSONObject {
        try #require(JSONValue.parse(Array(text.utf8)).object)
    }

    @Test(arguments: [
        (#""sales""#, #""sales""#, true), (#""sales""#, #""Sales""#, false), (#""1""#, "1", false),
        ("1", "1", true), ("1", "1.0", true), ("1", "1e0", true), ("1.5", "1.50", true), ("1", "true", false),
        ("true", "true", true), ("true", #""true""#, false), ("false", "null", false), ("0", "false", false),
        ("9007199254740993", "9007199254740992", false), ("1e300", "1E300", false),
        (#"["a","b"]"#, #"["a","b"]"#, true), (#"["a","b"]"#, #"["b","a"]"#, false),
        (#""a""#, #"["a"]"#, false), (#"{"x":1,"y":2}"#, #"{"y":2,"x":1.0}"#, true),
        (#"{"x":1}"#, #"{"x":1,"y":2}"#, false), (#""caf\u00e9""#, #""cafe\u0301""#, false),
    ])
    func `equals compares values with their types`(expected: String, actual: String, holds: Bool) throws {
        let value = try JSONValue.parse(Array(expected.utf8))
        let condition = ClaimCondition("/c", equals: value)
        #expect(condition.isMet(by: try claims("{\"c\":\(actual)}")) == holds)
    }

    @Test(arguments: [
        (#"["user","admin"]"#, true), (#"["administrator"]"#, false), (#""admin""#, false),
        (#""user admin""#, false), (#"{"admin":true}"#, false), ("[]", false), ("null", false),
        (#"[["admin"]]"#, false), (#"["ADMIN"]"#, false), (#"["admin "]"#, false),
    ])
    func `contains is for arrays`(actual: String, holds: Bool) throws {
        let condition = ClaimCondition("/realm_access/roles", contains: "admin")
        #expect(condition.isMet(by: try claims("{\"realm_access\":{\"roles\":\(actual)}}")) == holds)
        #expect(!condition.isMet(by: try claims("{\"realm_access\":\(actual)}")))
    }

    @Test func `an absent claim fails`() throws {
        #expect(!ClaimCondition("/c", equals: "x").isMet(by: [:]))
        #expect(!ClaimCondition("/c", contains: "x").isMet(by: [:]))
        #expect(!ClaimCondition("/c/d", equals: "x").isMet(by: try claims(#"{"c":"x"}"#)))
        #expect(ClaimCondition("/c/0", equals: "x").isMet(by: try claims(#"{"c":["x"]}"#)))
        #expect(
            ClaimCondition("/https:~1~1x.example~1dep", equals: 1).isMet(by: ["https://x.example/dep": 1]))
    }

    @Test func `RFC 6750 §3.1: a token is asked for claims by its handler too`() async throws {
        let scene = Scene()
        let token = try await scene.resource.authorize(.get("/notes", bearer: scene.mint()))
        let requirement = AccessRequirement("notes:read").holding(ClaimCondition("/sub", equals: "nobody"))
        let refusal = #expect(throws: Refusal.self) { try token.require(requirement) }
        expectRefused(refusal, .claimConditionUnmet)
        #expect(refusal?.challenges.allSatisfy { $0["scope"] == nil } == true)
        #expect(refusal?.finding?.expected == #"/sub "nobody""#)
        try token.require(AccessRequirement("notes:read").holding(ClaimCondition("/sub", equals: "user-1")))
    }
}
