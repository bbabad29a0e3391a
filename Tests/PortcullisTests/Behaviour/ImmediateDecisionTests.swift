// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("What an admission decides at once, and what it needs")
struct ImmediateDecisionTests {
    static let identifier = "https://api.example.com/notes"
    static let issuerName = "https://as.example.com"
    let clock = ManualClock()
    let fetcher = ScriptedFetcher()
    let issuer: TestIssuer

    init() {
        issuer = TestIssuer(Self.issuerName, time: clock.time)
    }

    private func resource(
        _ trusted: TrustedIssuer? = nil, _ change: (inout TokenPolicy) -> Void = { _ in }
    ) -> ProtectedResource {
        var policy = TokenPolicy()
        change(&policy)
        return ProtectedResource(
            "https://api.example.com/notes", trusting: trusted ?? issuer.trusted, tokens: policy,
            fetcher: fetcher, time: clock.time)
    }

    private func head(_ token: String) -> RequestHead { .get("/notes", bearer: token) }

    private func reason(_ decision: Admission.Progress) -> RefusalReason? {
        if case .refused(let refusal) = decision { refusal.reason } else { nil }
    }

    @Test func `a token is verified when there is time, and then cached`() {
        let resource = resource()
        let head = head(issuer.mint(audience: Self.identifier))
        guard case .needs(.signatureTime) = resource.progress(head),
            case .admitted(let token) = resource.progress(head, withTime: true),
            case .admitted = resource.progress(head)
        else {
            Issue.record("not verified, or not cached")
            return
        }
        #expect(token?.format == .jwt)
    }

    @Test func `RFC 9068 §4: faults of a token are found without waiting`() {
        let resource = resource()
        let impostor = TestIssuer(Self.issuerName, time: clock.time)
        let stranger = TestIssuer("https://other.example.com", time: clock.time)
        let reasons = [
            impostor.mint(audience: Self.identifier), stranger.mint(audience: Self.identifier),
            issuer.mint(audience: "https://api.example.com/photos"), "a.b.c",
        ].map { reason(resource.progress(head($0), withTime: true)) }
        #expect(reasons == [.invalidSignature, .unknownIssuer, .audienceMismatch, .malformedJWT])
    }

    @Test func `an answer to another question is ignored`() {
        let resource = resource()
        let head = head(issuer.mint(audience: Self.identifier))
        var admission = Admission(to: resource)
        guard
            case .needs(.signatureTime) = admission.advance(
                head, requiring: .anyValidToken, in: AuthorizationContext())
        else {
            Issue.record("decided too early")
            return
        }
        for answer in [.form(nil), .keys(.failed), .replayVerdict(.replayed), .shared] as [AdmissionAnswer] {
            admission.supply(answer)
        }
        guard
            case .needs(.signatureTime) = admission.advance(
                head, requiring: .anyValidToken, in: AuthorizationContext())
        else {
            Issue.record("advanced without the answer that it needs")
            return
        }
        admission.supply(.signatureTime)
        guard case .admitted = admission.advance(head, requiring: .anyValidToken, in: AuthorizationContext())
        else {
            Issue.record("not admitted")
            return
        }
    }

    @Test func `an admission waits for keys that must be fetched`() {
        let discovered = TrustedIssuer.jwt(
            issuer: Self.issuerName, keys: .discovered)
        let resource = resource(discovered)
        let head = head(issuer.mint(audience: Self.identifier))
        guard case .needs(.keys) = resource.progress(head, withTime: true) else {
            Issue.record("decided without a key")
            return
        }
    }

    @Test func `an admission waits for a missing key only if a fetch could bring it`() async throws {
        let stranger = TestIssuer(Self.issuerName, keyID: "test-2", time: clock.time)
        let (known, unknown) = (issuer, head(stranger.mint(audience: Self.identifier)))
        #expect(reason(resource().progress(unknown, withTime: true)) == .unknownKey)
        let url = Self.issuerName + "/jwks"
        fetcher.on(url, json: .object(JWKSet([known.key.publicKey]).publicJSON))
        let resource = resource(.jwt(issuer: Self.issuerName, keys: .remote(url)))
        _ = try await resource.authorize(head(known.mint(audience: Self.identifier)))
        guard case .needs(.keys) = resource.progress(unknown, withTime: true) else {
            Issue.record("decided without introspection")
            return
        }
        // The key is there, and a new set would have no other key of that name.
        let misused = head(known.mint(audience: Self.identifier, header: ["alg": "RS256"]))
        #expect(reason(resource.progress(misused, withTime: true)) == .unknownKey)
    }

    @Test func `an introspected token does not wait for a signature check`() {
        let introspecting = TrustedIssuer.jwtOrIntrospection(
            issuer: Self.issuerName, keys: .fixed(issuer.keys), endpoint: "https://as.example.com/introspect",
            authenticatedBy: .clientSecretBasic(id: "rs", secret: "s"))
        let resource = resource(introspecting)
        guard case .needs(.introspection) = resource.progress(head("opaque")),
            case .needs(.signatureTime) = resource.progress(head(issuer.mint(audience: Self.identifier)))
        else {
            Issue.record("confused with the other")
            return
        }
    }

    @Test func `RFC 8725 §3.9: each resource checks a header that another has parsed`() {
        let other = resource { $0.acceptedTypes = ["at+jwt", "JWT"] }
        let head = head(issuer.mint(audience: Self.identifier, header: ["typ": "JWT"]))
        guard case .admitted = other.progress(head, withTime: true) else {
            Issue.record("refused where its type is accepted")
            return
        }
        #expect(reason(resource().progress(head, withTime: true)) == .unsupportedTokenType)
    }

    @Test func `a known header verifies no signature`() {
        let resource = resource()
        let good = issuer.mint(audience: Self.identifier)
        _ = resource.progress(head(good), withTime: true)
        let parts = good.split(separator: ".")
        let second = issuer.mint(audience: Self.identifier).split(separator: ".")
        let forged = "\(parts[0]).\(parts[1]).\(second[2])"
        #expect(
            reason(resource.progress(head(forged), withTime: true)) == .invalidSignature)
    }

    @Test func `more keys than the cache holds replace each other`() {
        let issuers = (0..<20).map { TestIssuer(Self.issuerName, keyID: "key-\($0)", time: clock.time) }
        let keys = JWKSet(issuers.map(\.key.publicKey))
        let resource = resource(.jwt(issuer: Self.issuerName, keys: .fixed(keys)))
        for _ in 0..<3 {
            for issuer in issuers {
                let head = head(issuer.mint(audience: Self.identifier))
                guard case .admitted = resource.progress(head, withTime: true) else {
                    Issue.record("a good token was refused")
                    return
                }
            }
        }
    }
}
