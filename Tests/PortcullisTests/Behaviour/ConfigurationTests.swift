// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9728 §7.6 A resource that cannot work is refused")
struct ConfigurationTests {
    static let issuer = TestIssuer("https://as.example.com")
    static let introspecting = TrustedIssuer.introspection(
        issuer: "https://opaque.example.com", authenticatedBy: .clientSecretBasic(id: "a", secret: "b"))

    private func paths(
        _ issuers: [TrustedIssuer], listed: [String] = [], maxAge: Duration = .seconds(300),
        _ change: (inout TokenPolicy) -> Void = { _ in }
    ) -> [String?] {
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.authorizationServers = listed
        var policy = TokenPolicy()
        change(&policy)
        return problems { () throws(ConfigurationError) in
            _ = try ProtectedResource(
                validating: .init(metadata, trusting: issuers, tokens: policy, metadataMaxAge: maxAge))
        }.map(\.path)
    }

    @Test func `a sound configuration is accepted`() {
        #expect(paths([Self.issuer.trusted, Self.introspecting], listed: ["https://as.example.com"]) == [])
    }

    @Test func `at least one issuer is trusted, and none twice`() {
        #expect(paths([]) == ["issuers"])
        #expect(paths([Self.issuer.trusted, Self.issuer.trusted]) == ["issuers[1]"])
        #expect(paths([TrustedIssuer(issuer: "https://as.example.com")]) == ["issuers[0].keys"])
    }

    @Test func `opaque tokens name no issuer, so at most one introspects`() {
        var second = Self.introspecting
        second = .introspection(
            issuer: "https://b.example", authenticatedBy: .clientSecretBasic(id: "a", secret: "b"))
        #expect(paths([Self.introspecting, second]) == ["issuers"])
    }

    @Test func `listed authorization servers are the trusted ones, byte for byte`() {
        #expect(
            paths([Self.issuer.trusted], listed: ["https://as.example.com/"]) == [
                "metadata.authorizationServers[0]"
            ])
    }

    @Test func `issuers that are set later are those that count`() throws {
        var configuration = ProtectedResource.Configuration(
            ProtectedResourceMetadata(resource: "https://api.example.com/notes"),
            trusting: [Self.issuer.trusted])
        configuration.issuerTraits = IssuerTraits(configuration.issuers)
        configuration.issuers = [Self.introspecting]
        let resource = try ProtectedResource(validating: configuration)
        #expect(resource.connections.map(\.issuer) == ["https://opaque.example.com"])
        #expect(!resource.takesJWTs)
    }

    @Test func `the token format must be one that an issuer can check`() {
        #expect(paths([Self.issuer.trusted]) { $0.format = .opaque } == ["tokens.format"])
        #expect(paths([Self.introspecting]) { $0.format = .jwt } == ["tokens.format"])
        #expect(paths([Self.issuer.trusted]) { $0.format = .any } == [])
    }

    @Test func `an issuer's URLs are https`() {
        for url in ["http://as.example.com/x", "http://127.0.0.1/x", "x", "https://as.example.com/x#y"] {
            #expect(
                paths([.jwt(issuer: "https://as.example.com", keys: .remote(url))]) == [
                    "issuers[0].keys"
                ])
            let introspecting = TrustedIssuer.introspection(
                issuer: "https://as.example.com", endpoint: url, authenticatedBy: .bearer(token: "a"))
            #expect(paths([introspecting]) == ["issuers[0].introspection.endpoint"])
        }
    }

    @Test func `a bearer token for introspection is well-formed`() {
        let issuer = TrustedIssuer.introspection(
            issuer: "https://as.example.com", authenticatedBy: .bearer(token: "a\r\nb"))
        #expect(paths([issuer]) == ["issuers[0].introspection.authentication"])
    }

    @Test func `every number has its bounds`() {
        var issuer = Self.issuer.trusted
        issuer.timeout = .zero
        issuer.maxResponseByteCount = 0
        issuer.keyFreshness = .zero
        issuer.keyCooldown = .seconds(-1)
        issuer.keyStaleness = .seconds(-1)
        let found = paths([issuer], maxAge: .seconds(-1)) { policy in
            policy.algorithms = []
            policy.acceptedTypes = []
            policy.audiences = []
            policy.scopeClaims = []
            policy.requiredClaims = [""]
            policy.maxTokenByteCount = 0
            policy.verifiedCacheEntryCount = -1
            policy.introspectionCacheLifetime = .seconds(-1)
            policy.inactiveCacheLifetime = .seconds(-1)
        }
        #expect(found.count == 15)
        #expect(Set(found).count == 15)
    }

    @Test(arguments: ["dpop+jwt", "Logout+JWT", "application/secevent+jwt"])
    func `RFC 8725 §3.11: types of other kinds of JWT are refused`(type: String) {
        #expect(
            paths([Self.issuer.trusted]) { $0.acceptedTypes = ["at+jwt", type] } == ["tokens.acceptedTypes"])
    }
}

/// The uses that the package is made for, as an app writes them.
@Suite("RFC 9728 §5 The gate in another server, and in an app's tests")
struct CallSiteTests {
    @Test func `a token for billing is refused at the notes`() async throws {
        let issuer = TestIssuer("https://login.example.com")
        let notes = ProtectedResource(
            "https://api.example.com/notes", trusting: issuer.trusted, scopes: ["notes:read"])
        let token = issuer.mint(audience: "https://api.example.com/billing", scope: "notes:read")

        let refusal = await #expect(throws: Refusal.self) {
            try await notes.authorize(.get("/notes", bearer: token), requiring: "notes:read")
        }
        #expect(refusal?.status == .unauthorized)
        expectRefused(refusal, .audienceMismatch)
    }

    @Test func `one function takes a request and throws one typed error`() async {
        let issuer = TestIssuer("https://login.example.com")
        let notes = ProtectedResource("https://api.example.com/notes", trusting: issuer.trusted)
        let answer: ResponseHead
        do throws(Refusal) {
            _ = try await notes.authorize(.get("/notes"))
            answer = ResponseHead(status: .ok)
        } catch {
            answer = error.head
        }
        #expect(answer.status == .unauthorized)
    }

    @Test func `claims decode into the app's own type`() async throws {
        struct Claims: Decodable, Equatable {
            let sub: String
            let groups: [String]
        }
        let issuer = TestIssuer("https://login.example.com")
        let notes = ProtectedResource("https://api.example.com/notes", trusting: issuer.trusted)
        let bearer = issuer.mint(audience: "https://api.example.com/notes", claims: ["groups": ["a", "b"]])
        let token = try await notes.authorize(.get("/notes", bearer: bearer))
        #expect(try token.claims(as: Claims.self) == Claims(sub: "user-1", groups: ["a", "b"]))
    }

    @Test func `a server that refuses connections is unreachable`() async {
        let fetcher = HTTPClientFetcher()
        let error = await #expect(throws: FetchError.self) {
            try await fetcher.fetch(FetchRequest(url: "http://127.0.0.1:1/", timeout: .seconds(5)))
        }
        #expect(error?.kind == .unreachable)
        #expect(error?.description == "the connection was refused")
    }
}
