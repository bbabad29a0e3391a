// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 8693 §4.1 Who acts for the subject of a token")
struct RFC8693_4_1_Actors {
    private static let vectors: [Int: String] = [
        1:
            "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImFzLTIwMjctMiJ9.eyJpc3MiOiJodHRwczovL2FzLmV"
            + "4YW1wbGUuY29tIiwic3ViIjoidXNlci0xIiwiYXVkIjoiaHR0cHM6Ly9hcGkuZXhhbXBsZS5jb20vbWNwIiwiY2xpZW5"
            + "0X2lkIjoiY2xpZW50LTEiLCJpYXQiOjE3OTk5OTk5NDAsImV4cCI6MTgwMDAwMzYwMCwianRpIjoiYWN0LTEiLCJzY29"
            + "wZSI6Im1jcDpyZWFkIiwiYWN0Ijp7InN1YiI6Imh0dHBzOi8vc2VydmljZTE2LmV4YW1wbGUuY29tIiwiYWN0Ijp7InN"
            + "1YiI6Imh0dHBzOi8vc2VydmljZTc3LmV4YW1wbGUuY29tIn19fQ.X-zd1ZdJbmJO0rueqWTSB3e4JEw3J-zuf0qZCHDK"
            + "NBFiwNmSvmReRSWejf9uCjoP3WQoRRJjOSOuITk56mT4DQ",
        2:
            "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImFzLTIwMjctMiJ9.eyJpc3MiOiJodHRwczovL2FzLmV"
            + "4YW1wbGUuY29tIiwic3ViIjoidXNlci0xIiwiYXVkIjoiaHR0cHM6Ly9hcGkuZXhhbXBsZS5jb20vbWNwIiwiY2xpZW5"
            + "0X2lkIjoiY2xpZW50LTEiLCJpYXQiOjE3OTk5OTk5NDAsImV4cCI6MTgwMDAwMzYwMCwianRpIjoiYWN0LTIiLCJzY29"
            + "wZSI6Im1jcDpyZWFkIiwibWF5X2FjdCI6eyJzdWIiOiJzdmMtOSJ9fQ.RU1TLrxdqRDr4JvDQfvM47FEdy66XHtwwS15"
            + "b9IgTQsBcN_UckTHIU1YpdfdHN172_ht_XOxX1TigreBysldvw",
        3:
            "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImFzLTIwMjctMiJ9.eyJpc3MiOiJodHRwczovL2FzLmV"
            + "4YW1wbGUuY29tIiwic3ViIjoidXNlci0xIiwiYXVkIjoiaHR0cHM6Ly9hcGkuZXhhbXBsZS5jb20vbWNwIiwiY2xpZW5"
            + "0X2lkIjoiY2xpZW50LTEiLCJpYXQiOjE3OTk5OTk5NDAsImV4cCI6MTgwMDAwMzYwMCwianRpIjoiYWN0LTMiLCJzY29"
            + "wZSI6Im1jcDpyZWFkIiwiYWN0Ijp7InN1YiI6InN2Yy05IiwiZXhwIjoxfX0.q7eeHwkF-HbLH_LpRszV2vp_BFeBrov"
            + "3BZ0M7R4VIipjcCX9qPYnieGIJYrGyFKBAuLPhvo0LeUV5vOMSkLGqQ",
        4:
            "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImFzLTIwMjctMiJ9.eyJpc3MiOiJodHRwczovL2FzLmV"
            + "4YW1wbGUuY29tIiwic3ViIjoidXNlci0xIiwiYXVkIjoiaHR0cHM6Ly9hcGkuZXhhbXBsZS5jb20vbWNwIiwiY2xpZW5"
            + "0X2lkIjoiY2xpZW50LTEiLCJpYXQiOjE3OTk5OTk5NDAsImV4cCI6MTgwMDAwMzYwMCwianRpIjoiYWN0LTQiLCJzY29"
            + "wZSI6Im1jcDpyZWFkIiwiYWN0Ijoic3ZjLTkifQ.yAswPm2nGtSDpNHB-Xb021vff8PpyjGpwojHQS-en7x9KYJhvgTf"
            + "nxrjAiYg50XX9n5MS3EpXPxrQ0cOe1BDkg",
    ]

    private static func token(of number: Int) async throws -> Result<AccessToken, Refusal> {
        let clock = ManualClock()
        let trusted = TrustedIssuer.jwt(
            issuer: StatusListVectors.issuer, keys: .fixed(JWKSet([try JWK(StatusListVectors.key)])))
        let resource = ProtectedResource("https://api.example.com/mcp", trusting: trusted, time: clock.time)
        let token = try #require(vectors[number])
        do throws(Refusal) {
            return .success(try await resource.authorize(.get("/mcp", bearer: token)))
        } catch {
            return .failure(error)
        }
    }

    @Test func `TEX-20 the outermost act is the actor`() async throws {
        let token = try await Self.token(of: 1).get()
        #expect(token.actor?.subject == "https://service16.example.com")
        #expect(token.actor?.issuer == nil)
        #expect(token.subject == "user-1")
        #expect(token.holder?.name == "user-1")
    }

    @Test func `TEX-21 exp in act has no meaning`() async throws {
        #expect(try await Self.token(of: 3).get().actor?.subject == "svc-9")
    }

    @Test func `TEX-22 act of another type than object is malformed`() async throws {
        guard case .failure(let refusal) = try await Self.token(of: 4) else {
            Issue.record("A token whose act is a string is refused.")
            return
        }
        #expect(refusal.reason == .malformedActor && refusal.status == .unauthorized)
        let scene = Scene()
        for act: JSONValue in [[], 5, true, ["sub": 5], ["iss": []], ["sub": "a", "act": "b"]] {
            let reason = await scene.refusal(of: scene.mint(claims: ["act": act]))?.reason
            #expect(reason == .malformedActor)
        }
        for act: JSONValue in [.null, .object([:]), ["client_id": "a"], ["sub": .null]] {
            #expect(await scene.refusal(of: scene.mint(claims: ["act": act])) == nil)
        }
    }

    @Test(arguments: [1, 8, 9]) func `a chain has at most 8 actors`(length: Int) async {
        var act: JSONObject = ["sub": "first"]
        for _ in 1..<length { act = ["sub": "later", "act": .object(act)] }
        let scene = Scene()
        let refusal = await scene.refusal(of: scene.mint(claims: ["act": .object(act)]))
        #expect(refusal?.reason == (length > TokenActor.maxChainLength ? .malformedActor : nil))
    }

    @Test func `TEX-24 may_act identifies nobody`() async throws {
        let token = try await Self.token(of: 2).get()
        #expect(token.actor == nil && token.subject == "user-1")
    }

    @Test func `TEX-25 act of an introspection answer means the same`() async throws {
        let clock = ManualClock()
        let fetcher = ScriptedFetcher()
        let endpoint = "https://as.example.com/introspect"
        func introspect(_ act: JSONValue) async -> Result<AccessToken, Refusal> {
            fetcher.on(
                endpoint,
                json: [
                    "active": true, "iss": "https://as.example.com", "aud": .string(Scene.identifier),
                    "sub": "user-1", "client_id": "client-1", "act": act, "may_act": ["sub": "svc-9"],
                ])
            let resource = ProtectedResource(
                "https://api.example.com/notes",
                trusting: .introspection(
                    issuer: "https://as.example.com", endpoint: endpoint,
                    authenticatedBy: .clientSecretBasic(id: "rs", secret: "s")),
                fetcher: fetcher, time: clock.time)
            do throws(Refusal) {
                return .success(try await resource.authorize(.get("/notes", bearer: "opaque")))
            } catch {
                return .failure(error)
            }
        }
        let nested: JSONValue = [
            "sub": "service16", "iss": "https://as.example.com", "act": ["sub": "service77"],
        ]
        let actor = try await introspect(nested).get().actor
        #expect(actor?.subject == "service16" && actor?.issuer == "https://as.example.com")
        guard case .failure(let refusal) = await introspect("svc-9") else {
            Issue.record("An answer whose act is a string is refused.")
            return
        }
        #expect(refusal.reason == .malformedActor)
    }
}
