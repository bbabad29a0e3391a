// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import Testing

/// Requirements of a group and of a route in it, as one.
@Suite("RFC 6750 §3.1, RFC 9470 §3 Requirements together")
struct JoinedRequirementTests {
    private typealias Requirement = AccessRequirement

    @Test(
        arguments: [
            (.anyValidToken, "a", "a"),
            ("a", "b", ["a", "b"]),
            (["a", "b"], ["b", "c"], ["a", "b", "c"]),
            (.anyValidToken, .any(of: ["a", "b"]), .any(of: ["a", "b"])),
            ("a", .any(of: ["a", "b"]), "a"),
            (.any(of: ["a", "b"]), ["b", "c"], ["b", "c"]),
            (.any(of: ["a", "b", "c"]), .any(of: ["b", "c"]), .any(of: ["b", "c"])),
            (.any(of: ["a", "b"]), .any(of: ["b", "c"]), nil),
            ("c", .any(of: ["a", "b"]), nil),
            (.validTokenOrNone, "a", "a"),
            (.validTokenOrNone, .anyValidToken, .anyValidToken),
            (.validTokenOrNone, .validTokenOrNone, .validTokenOrNone),
        ] as [(AccessRequirement, AccessRequirement, AccessRequirement?)])
    func `scopes add up, unless there is a choice between choices`(
        first: AccessRequirement, second: AccessRequirement, both: AccessRequirement?
    ) {
        #expect(first.and(second) == both)
        let other = second.and(first)
        #expect(Set(other?.scopes.scopes ?? []) == Set(both?.scopes.scopes ?? []))
        #expect((other == nil) == (both == nil))
    }

    @Test func `the login must meet both`() {
        let first = Requirement("a").authenticated(by: ["gold", "silver"], within: .seconds(60))
        let second = Requirement.anyValidToken.authenticated(by: ["silver", "bronze"], within: .seconds(30))
        let both = first.and(second)
        #expect(both?.acrValues == ["silver"] && both?.maxAge == .seconds(30))
        #expect(first.and("b")?.acrValues == ["gold", "silver"])
        #expect(first.and("b")?.maxAge == .seconds(60))
        #expect(first.and(.anyValidToken.authenticated(by: ["bronze"])) == nil)
    }

    @Test func `details, binding, introspection and conditions add up`() throws {
        let payment = AuthorizationDetail(type: "payment")
        let account = AuthorizationDetail(type: "account")
        let first = Requirement("a").covering(payment).senderConstrained()
        let second = Requirement("b").covering(payment, account).freshlyIntrospected()
        let both = try #require(first.and(second))
        #expect(both.authorizationDetails == [payment, account])
        #expect(both.needsSenderConstraint && both.needsFreshIntrospection)
        let claims = [ClaimCondition("/a", equals: "1"), ClaimCondition("/b", equals: "2")]
        let held = try #require(
            Requirement.anyValidToken.holding([claims[0]]).and(.anyValidToken.holding(claims)))
        #expect(held == Requirement.anyValidToken.holding(claims))
        #expect(Requirement("a").holding(claims).and("b") == Requirement(["a", "b"]).holding(claims))
    }

    @Test func `different rules for operations do not go together`() {
        let first = Requirement.anyValidToken.decided(by: ExternalDecision { _ in .permit })
        let second = Requirement.anyValidToken.decided(by: ExternalDecision { _ in .permit })
        #expect(first.and(second) == nil)
        #expect(first.and(first) == first)
        #expect(first.and("a") != nil)
    }
}
