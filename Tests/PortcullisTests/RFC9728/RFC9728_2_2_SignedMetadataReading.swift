// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisDiscovery
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9728 §2.2 Reading signed metadata")
struct RFC9728_2_2_SignedMetadataReading {
    static let keys = "https://api.example.com/keys"
    let world = ForeignDeployment()
    let signer: TestIssuer

    init() {
        signer = TestIssuer(ForeignDeployment.resource, time: world.clock.time)
        world.network.on(Self.keys, json: .object(signer.keys.publicJSON))
    }

    /// Serves a document with a signed part that has these claims in addition to `iss` and `resource`.
    func serve(
        _ claims: JSONObject = [:], omitting: [String] = [], by other: TestIssuer? = nil,
        keys: String? = Self.keys, change: (String) -> String = { $0 }
    ) {
        var payload: JSONObject = [
            "iss": .string(ForeignDeployment.resource), "resource": .string(ForeignDeployment.resource),
        ]
        for member in claims.members { payload[member.name] = member.value }
        for name in omitting { payload[name] = nil }
        let token = (other ?? signer).sign(header: [:], payload: payload.serialized())
        var members: JSONObject = ["resource_name": "Plain", "signed_metadata": .string(change(token))]
        members["jwks_uri"] = keys.map(JSONValue.string)
        world.network.on(ForeignDeployment.location, json: ForeignDeployment.document(members))
    }

    func fault(_ discovery: ProtectedResourceDiscovery? = nil) async -> SignedMetadataFault? {
        if case .signedMetadata(let fault) = await world.error(ForeignDeployment.resource, discovery) {
            return fault
        }
        return nil
    }

    @Test func `signed values take precedence over plain ones`() async throws {
        serve(["resource_name": "Signed", "x-more": true])
        let found = try await world.discovery().discover(ForeignDeployment.resource)
        #expect(found.metadata.metadata.resourceName.text == "Signed")
        #expect(found.metadata.metadata.extensions["x-more"] == true)
        #expect(found.metadata.metadata.extensions["iss"] == nil)
        #expect(found.metadata.signer == ForeignDeployment.resource)
        #expect(found.metadata.document["resource_name"] == "Plain")
    }

    @Test func `a signed resource that is different is a mismatch`() async {
        serve(["resource": "https://api.example.com/other"])
        #expect(await world.error() == .resourceMismatch)
    }

    @Test func `§3.3: a wrong signature is an error, not the plain values`() async {
        serve { token in
            let parts = token.split(separator: ".")
            let payload = Array(#"{"iss":"\#(ForeignDeployment.resource)"}"#.utf8)
            return "\(parts[0]).\(Base64URL.encode(payload)).\(parts[2])"
        }
        #expect(await fault() == .invalidSignature)
        serve(by: TestIssuer(ForeignDeployment.resource))
        #expect(await fault() == .invalidSignature)
        serve(by: TestIssuer(ForeignDeployment.resource, keyID: "other"))
        #expect(await fault() == .unknownKey)
    }

    @Test func `an unknown issuer is an error, and a trusted one's keys are used`() async throws {
        let auditor = TestIssuer("https://auditor.example", keyID: "audit")
        serve(["iss": "https://auditor.example", "resource_name": "Audited"], by: auditor)
        #expect(await fault() == .untrustedIssuer)
        let trusting = world.discovery {
            $0.signedMetadata = .verified(signers: ["https://auditor.example": auditor.keys])
        }
        let found = try await trusting.discover(ForeignDeployment.resource)
        #expect(found.metadata.signer == "https://auditor.example")
        #expect(found.metadata.metadata.resourceName.text == "Audited")
    }

    @Test func `the resource's own keys are on its own origin`() async {
        serve(keys: "https://elsewhere.example/keys")
        #expect(await fault() == .untrustedIssuer)
        serve(keys: nil)
        #expect(await fault() == .untrustedIssuer)
        world.network.on(Self.keys, status: .notFound)
        serve()
        #expect(await fault() == .keysUnavailable)
    }

    @Test func `the resource's origin may sign too`() async throws {
        serve(["iss": "https://api.example.com"])
        let found = try await world.discovery().discover(ForeignDeployment.resource)
        #expect(found.metadata.signer == "https://api.example.com")
    }

    @Test func `a JWT without required members or with forbidden ones is refused`() async {
        serve(omitting: ["iss"])
        #expect(await fault() == .missingIssuer)
        serve(["iss": 7])
        #expect(await fault() == .malformed)
        serve(["signed_metadata": "a.b.c"])
        #expect(await fault() == .nested)
        serve { _ in "not.a.jwt" }
        #expect(await fault() == .malformed)
        serve { "{\"payload\":\"" + $0 + "\"}" }
        #expect(await fault() == .malformed)
        let none = Base64URL.encode(Array(#"{"alg":"none"}"#.utf8))
        serve { none + "." + $0.split(separator: ".")[1] + "." + $0.split(separator: ".")[2] }
        #expect(await fault() == .unknownKey)
    }

    @Test func `exp and nbf apply, with a minute of leeway`() async {
        let now = world.clock.time.now().wholeSeconds ?? 0
        func number(_ seconds: Int) -> JSONValue { .number(JSONNumber(seconds)) }
        serve(["exp": number(now - 59), "nbf": number(now + 59)])
        #expect(await world.error() == nil)
        serve(["exp": number(now - 60)])
        #expect(await fault() == .expired)
        serve(["nbf": number(now + 61)])
        #expect(await fault() == .expired)
        serve(["exp": "soon"])
        #expect(await fault() == .malformed)
    }

    @Test func `a client that ignores signed metadata gets the plain values`() async throws {
        serve(["resource_name": "Signed"], by: TestIssuer("https://nobody.example"))
        let plain = world.discovery { $0.signedMetadata = .ignored }
        let found = try await plain.discover(ForeignDeployment.resource)
        #expect(found.metadata.metadata.resourceName.text == "Plain")
        #expect(found.metadata.signer == nil)
    }
}
