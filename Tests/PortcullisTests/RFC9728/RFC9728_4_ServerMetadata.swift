// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9728 §4 What the authorization server publishes about its resources")
struct RFC9728_4_ServerMetadata {
    static let issuer = "https://as.example"
    static let identifier: ResourceIdentifier = "https://api.example.com/notes"

    /// The reports after reading the server's metadata, with these members added.
    private func differences(_ members: JSONObject, listing: Bool = true) async throws -> [ResourceEvent] {
        let clock = ManualClock()
        let fetcher = ScriptedFetcher()
        let events = EventLog()
        let signer = TestIssuer(Self.issuer, time: clock.time)
        var document: JSONObject = [
            "issuer": .string(Self.issuer), "jwks_uri": .string("\(Self.issuer)/jwks"),
        ]
        for member in members.members { document[member.name] = member.value }
        fetcher.on("\(Self.issuer)\(RFC8414_3_Discovery.oauth)", json: .object(document))
        fetcher.on("\(Self.issuer)/jwks", json: .object(signer.keys.publicJSON))
        var metadata = ProtectedResourceMetadata(resource: Self.identifier)
        if listing { metadata.authorizationServers = [Self.issuer] }
        metadata.scopesSupported = ["notes:read", "notes:write"]
        let resource = try ProtectedResource(
            validating: .init(
                metadata, trusting: [.jwt(issuer: Self.issuer)], fetcher: fetcher, time: clock.time,
                onEvent: events.append))
        let token = signer.mint(audience: Self.identifier.text)
        #expect(await resource.refusal(of: .get("/notes", bearer: token)) == nil)
        return events.all.filter {
            switch $0 {
            case .scopesNotListed, .resourceNotListed: true
            default: false
            }
        }
    }

    @Test func `RFC 8414 §2: scopes that the server does not list are reported`() async throws {
        let reported = try await differences(["scopes_supported": ["openid", "notes:read"]])
        #expect(
            reported == [
                .scopesNotListed(issuer: Self.issuer, resource: Self.identifier, scopes: ["notes:write"])
            ])
    }

    @Test func `a list of resources without this one is reported`() async throws {
        for listed in [[], ["https://api.example.com/notes/", "https://API.example.com/notes"]] as [JSONValue]
        {
            let reported = try await differences(["protected_resources": listed])
            #expect(reported == [.resourceNotListed(issuer: Self.issuer, resource: Self.identifier)])
        }
    }

    @Test(
        arguments: [
            [:], ["protected_resources": ["https://x.example", "https://api.example.com/notes"]],
            ["scopes_supported": ["notes:write", "notes:read", "x"]],
            ["scopes_supported": "notes:read", "protected_resources": 1],
        ] as [JSONObject])
    func `absent, complete or unreadable lists are not reported`(members: JSONObject) async throws {
        #expect(try await differences(members).isEmpty)
    }

    @Test func `servers that clients are not sent to are not reported`() async throws {
        let members: JSONObject = ["scopes_supported": [], "protected_resources": []]
        #expect(try await differences(members, listing: false).isEmpty)
    }
}
