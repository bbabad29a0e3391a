// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 9728 §2.2 Signed metadata")
struct RFC9728_2_2_SignedMetadata {
    let clock = ManualClock()
    let issuer = TestIssuer("https://as.example.com")

    func metadata(_ name: String = "Notes") -> ProtectedResourceMetadata {
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.authorizationServers = [issuer.issuer]
        metadata.jwksURI = "https://api.example.com/keys"
        metadata.resourceName = LocalizedText(name)
        metadata.extensions = ["x-number": .number(JSONNumber(7))]
        return metadata
    }

    func resource(
        _ signing: MetadataSigning, _ metadata: ProtectedResourceMetadata? = nil,
        maxAge: Duration = .seconds(300)
    ) throws(ConfigurationError) -> ProtectedResource {
        var publishing = MetadataPublishing()
        publishing.signing = signing
        return try ProtectedResource(
            validating: .init(
                metadata ?? self.metadata(), trusting: [issuer.trusted], metadataMaxAge: maxAge,
                publishing: publishing, time: clock.time))
    }

    func signing(_ algorithm: SignatureAlgorithm = .es256, keyID: String? = "k1") throws -> MetadataSigning {
        MetadataSigning(key: try .generate(algorithm, keyID: keyID), algorithm: algorithm)
    }

    /// The document as a client reads it.
    func document(_ resource: ProtectedResource, accept: String? = nil) throws -> (
        head: ResponseHead, body: [UInt8]
    ) {
        let fields = accept.map { [("Accept", $0)] } ?? []
        return try #require(
            resource.metadataResponse(
                to: .get("/.well-known/oauth-protected-resource/notes", fields: fields)))
    }

    func members(_ resource: ProtectedResource) throws -> JSONObject {
        try #require(JSONValue.parse(document(resource).body).object)
    }

    func keys(_ resource: ProtectedResource) throws -> JWKSet {
        try JWKSet(parsing: #require(resource.keysDocument).body)
    }

    /// Reads and verifies the signed values by RFC 9728 §3.3: with the key that `kid` names in the set at
    /// `jwks_uri`.
    func claims(_ signed: String, _ keys: JWKSet, _ algorithm: SignatureAlgorithm = .es256) throws
        -> JSONObject
    {
        let token = try CompactJWS(Array(signed.utf8))
        guard case .found(let key) = keys.selectKey(keyID: token.header.keyID, algorithm: algorithm) else {
            throw JOSEError.keyNotUsable
        }
        try token.verify(with: key, algorithm: algorithm)
        return try #require(JSONValue.parse(token.payload).object)
    }

    @Test(arguments: [SignatureAlgorithm.es256, .es384, .es512, .ed25519, .eddsa, .rs256, .ps512])
    func `the value is a compact JWS whose key is at jwks_uri`(algorithm: SignatureAlgorithm) throws {
        let resource = try resource(signing(algorithm))
        let members = try members(resource)
        let signed = try #require(members["signed_metadata"]?.string)
        #expect(signed.utf8.count { $0 == 0x2E } == 2)
        let claims = try claims(signed, keys(resource), algorithm)
        #expect(claims["iss"] == "https://api.example.com/notes")
        #expect(claims["iat"] == 1_800_000_000 && claims["exp"] == 1_800_086_400)
    }

    @Test
    func `every other member is a claim with the same value, and the JWT does not contain itself`()
        throws
    {
        var signing = try signing()
        signing.issuer = "https://trust.example.com"
        let resource = try resource(signing)
        let members = try members(resource)
        let claims = try claims(#require(members["signed_metadata"]?.string), keys(resource))
        #expect(claims["iss"] == "https://trust.example.com")
        #expect(claims["signed_metadata"] == nil)
        for member in members.members where member.name != "signed_metadata" {
            #expect(claims[member.name] == member.value)
        }
        #expect(claims.members.count == members.members.count - 1 + 3)
    }

    @Test func `a key without kid is named by its thumbprint`() throws {
        let signing = try signing(keyID: nil)
        let resource = try resource(signing)
        let token = try CompactJWS(Array(#require(members(resource)["signed_metadata"]?.string).utf8))
        #expect(token.header.keyID == signing.key.publicKey.thumbprint)
        #expect(try keys(resource).keys.map(\.keyID) == [signing.key.publicKey.thumbprint])
    }

    @Test func `it is signed again after half of its lifetime, and not before`() throws {
        let resource = try resource(signing())
        let first = try members(resource)["signed_metadata"]
        let etag = resource.metadataDocument.etag
        clock.advance(by: .seconds(43_199))
        #expect(try members(resource)["signed_metadata"] == first)
        #expect(resource.metadataDocument.etag == etag)
        clock.advance(by: .seconds(1))
        let second = try #require(members(resource)["signed_metadata"]?.string)
        #expect(.string(second) != first && resource.metadataDocument.etag != etag)
        #expect(try claims(second, keys(resource))["exp"] == 1_800_129_600)
    }

    @Test func `the metadata's hash does not change with the signature`() throws {
        let resource = try resource(signing())
        let hash = resource.metadataHash
        clock.advance(by: .seconds(50_000))
        _ = try members(resource)
        #expect(resource.metadataHash == hash)
        #expect(try self.resource(signing()).metadataHash == hash)
        #expect(try self.resource(signing(), metadata("Other")).metadataHash != hash)
    }

    @Test func `RFC 9728 §2: keys are published without private members, each with its use`() throws {
        var signing = try signing()
        let other = try PrivateJWK.generate(.rs256, keyID: "enc")
        var json = other.publicKey.publicJSON
        json["use"] = "enc"
        json["alg"] = nil
        signing.otherKeys = [try JWK(json)]
        let text = String(decoding: try #require(resource(signing).keysDocument).body, as: UTF8.self)
        let listed = try #require(JSONValue.parse(Array(text.utf8)).object?["keys"]?.array)
        #expect(listed.map { $0.object?["use"] } == ["sig", "enc"])
        for name in ["\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"k\""] { #expect(!text.contains(name)) }
    }

    @Test func `the previous signing key stays published until its last signature has expired`()
        throws
    {
        let before = try resource(signing(keyID: "old"))
        let old = try #require(members(before)["signed_metadata"]?.string)
        clock.advance(by: .seconds(3600))
        let after = try resource(signing(keyID: "new"))
        after.inheritState(from: before)
        #expect(try keys(after).keys.map(\.keyID) == ["new", "old"])
        #expect(try claims(old, keys(after))["resource"] == "https://api.example.com/notes")
        let third = try resource(signing(keyID: "newest"))
        third.inheritState(from: after)
        #expect(try keys(third).keys.map(\.keyID) == ["newest", "old", "new"])
        clock.advance(by: .seconds(86_400 - 3600))
        #expect(try keys(third).keys.map(\.keyID) == ["newest", "new"])
        clock.advance(by: .seconds(3600))
        #expect(try keys(third).keys.map(\.keyID) == ["newest"])
    }

    @Test
    func `RFC 9728 §3.2: for any Accept the answer is application/json, unless the JWT is switched on`()
        throws
    {
        let plain = try resource(signing())
        for accept in [MetadataSigning.mediaType, "application/oauth-protected-resource+json", "text/html"] {
            let head = try document(plain, accept: accept).head
            #expect(head.status == .ok && head.fields[.contentType] == "application/json")
            #expect(head.fields[.vary] == nil)
        }
    }

    @Test(arguments: [
        "application/oauth-protected-resource-jwt", "Application/OAuth-Protected-Resource-JWT",
        "application/json;q=0.5, application/oauth-protected-resource-jwt ; q=0.9",
    ])
    func `if switched on, an Accept that names the type gets only the JWT`(accept: String) throws {
        var signing = try signing()
        signing.answersAcceptedJWT = true
        let resource = try resource(signing)
        let answer = try document(resource, accept: accept)
        #expect(answer.head.fields[.contentType] == MetadataSigning.mediaType)
        #expect(answer.head.fields[.vary] == "Accept")
        let signed = try #require(members(resource)["signed_metadata"]?.string)
        #expect(String(decoding: answer.body, as: UTF8.self) == signed)
        #expect(answer.head.fields[.etag] != resource.metadataDocument.etag)
    }

    @Test(arguments: [
        "*/*", "application/*", "application/json", "application/oauth-protected-resource-jwt;q=0", "",
    ])
    func `if switched on, any other Accept gets the document, which varies`(accept: String) throws {
        var signing = try signing()
        signing.answersAcceptedJWT = true
        let head = try document(resource(signing), accept: accept).head
        #expect(head.fields[.contentType] == "application/json" && head.fields[.vary] == "Accept")
    }

    @Test func `an unsuitable key and a lifetime that is too short are refused`() throws {
        func paths(_ signing: MetadataSigning, maxAge: Duration = .seconds(300)) -> [String?] {
            problems { () throws(ConfigurationError) in _ = try resource(signing, maxAge: maxAge) }.map(
                \.path)
        }
        var wrong = try signing()
        wrong.algorithm = .rs256
        #expect(paths(wrong) == ["publishing.signing.algorithm"])
        var short = try signing()
        short.lifetime = .seconds(100)
        #expect(paths(short) == ["publishing.signing.lifetime"])
        #expect(try paths(signing(), maxAge: .seconds(43_201)) == ["publishing.signing.lifetime"])
        var nameless = try signing()
        nameless.issuer = ""
        #expect(paths(nameless) == ["publishing.signing.issuer"])
    }

    @Test(arguments: ["iss", "exp", "aud"])
    func `a member named like a claim cannot be signed`(name: String) throws {
        var metadata = metadata()
        metadata.extensions[name] = "x"
        let signing = try signing()
        let found = problems { () throws(ConfigurationError) in _ = try resource(signing, metadata) }
        #expect(found.map(\.path) == ["publishing.signing.key"])
    }

    @Test func `a JWT that another party signed is served unchanged`() throws {
        let json = try JSONValue.parse(Fixture.bytes("metadata/accepted/every-member.json"))
        let metadata = try ProtectedResourceMetadata(json: json)
        #expect(metadata.json["signed_metadata"] == json.object?["signed_metadata"])
    }

    @Test(arguments: Fixture.names(in: "metadata/unpublishable"))
    func `a JWT that contradicts the other members is not served`(
        name: String
    ) throws {
        let metadata = try ProtectedResourceMetadata(
            json: JSONValue.parse(Fixture.bytes("metadata/unpublishable/\(name).json")))
        let found = problems { () throws(ConfigurationError) in
            _ = try ProtectedResource(validating: .init(metadata, trusting: [issuer.trusted]))
        }
        #expect(found.map(\.path) == ["metadata.signedMetadata"])
    }
}
