// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisStatusList
import PortcullisTesting
import Testing

@Suite("draft-ietf-oauth-status-list §6 The claim of access tokens")
struct StatusList_6_Claims {
    private static let uri = "https://as.example.com/statuslists/1"

    private static func status(_ index: JSONValue, _ uri: JSONValue = .string(uri)) -> JSONValue {
        ["status_list": ["idx": index, "uri": uri]]
    }

    @Test func `TSL-01 a token that fails another check causes no fetch`() async throws {
        let scene = StatusListScene()
        let good = scene.token(at: 1)
        let parts = good.split(separator: ".").map(String.init)
        var signature = try #require(Base64URL.decode(parts[2]))
        signature[10] ^= 1
        let changed = parts[0] + "." + parts[1] + "." + Base64URL.encode(signature)
        #expect(await scene.reason(changed) == .invalidSignature)
        let claims = scene.lists.claims(at: 1)
        let foreign = scene.issuer.mint(audience: "https://other.example.com", claims: claims)
        #expect(await scene.reason(foreign) == .audienceMismatch)
        let expired = scene.issuer.mint(
            audience: StatusListScene.identifier, lifetime: .seconds(-100), claims: claims)
        #expect(await scene.reason(expired) == .expired)
        let client = TestDPoPClient(time: scene.clock.time)
        let bound = scene.issuer.mint(
            audience: StatusListScene.identifier, boundTo: client, claims: claims)
        #expect(await scene.reason(bound) == .boundTokenAsBearer)
        #expect(scene.fetchCount == 0)
    }

    @Test func `TSL-02 the policy says which tokens need a status`() async {
        let without = { (scene: StatusListScene) in scene.token([:]) }
        let honouring = StatusListScene()
        #expect(await honouring.reason(without(honouring)) == nil)
        honouring.lists.revoke(1)
        #expect(await honouring.reason(honouring.token(at: 1)) == .revokedToken)

        let requiring = StatusListScene(use: .required)
        let refusal = await requiring.refusal(of: without(requiring))
        #expect(refusal?.reason == .missingStatus)
        #expect(refusal?.status == .unauthorized)
        #expect(await requiring.reason(requiring.token(at: 1)) == nil)

        let ignoring = StatusListScene(use: .off)
        ignoring.lists.revoke(1)
        for _ in 0..<3 { #expect(await ignoring.reason(ignoring.token(at: 1)) == nil) }
        #expect(await ignoring.reason(ignoring.token(status: "x")) == nil)
        #expect(ignoring.kinds == ["status_ignored"])
        #expect(ignoring.fetchCount == 0)
    }

    static let malformed: [JSONValue] = [
        .object(["status_list": ["uri": .string(uri)]]), status(-1), status(1.5), status("1"), status(1e300),
        status(.number(JSONNumber(1.8446744073709552e19) ?? JSONNumber(0))), status(.null), status(true),
        .object(["status_list": ["idx": 1]]), status(1, 5), status(1, ""), status(1, "/x"), status(1, ":x"),
        status(1, .string("https://as.example.com/" + String(repeating: "a", count: 2048))),
        [], "x", .null, 1, .object([:]), .object(["status_list": []]), .object(["status_list": .null]),
    ]

    @Test(arguments: malformed.indices)
    func `TSL-03 a malformed claim makes the token malformed`(place: Int) async {
        let scene = StatusListScene()
        let refusal = await scene.refusal(of: scene.token(status: Self.malformed[place]))
        #expect(refusal?.reason == .malformedStatus)
        #expect(refusal?.status == .unauthorized)
        #expect(scene.fetchCount == 0)
    }

    @Test func `TSL-04 other mechanisms alone are refused and beside a list ignored`() async {
        let scene = StatusListScene()
        let alone = await scene.refusal(of: scene.token(status: ["x": [:]]))
        #expect(alone?.reason == .unsupportedStatus)
        #expect(alone?.status == .unauthorized)
        let both: JSONValue = ["x": [:], "status_list": ["idx": 1, "uri": .string(Self.uri), "y": 2]]
        #expect(await scene.reason(scene.token(status: both)) == nil)
        scene.lists.revoke(1)
        await scene.pass(.seconds(301))
        #expect(await scene.reason(scene.token(status: both)) == .revokedToken)
    }

    @Test(arguments: [
        "http://as.example.com/statuslists/1", "https://169.254.169.254/", "https://u@as.example.com/",
        "https://u:p@as.example.com/statuslists/1", "https://as.example.com.evil.example/1",
        "https://as.example.com:8443/1", "https://as.example.com/1#a", "https://other.example.com/1",
        "ftp://as.example.com/1", "https:", "https://", "file:///etc/passwd", "https://[::1]/1", "data:,x",
    ])
    func `TSL-05 a list elsewhere is refused without a request`(uri: String) async {
        let scene = StatusListScene()
        let refusal = await scene.refusal(of: scene.token(status: Self.status(1, .string(uri))))
        #expect(refusal?.reason == .forbiddenStatusList)
        #expect(refusal?.status == .unauthorized)
        #expect(scene.fetchCount == 0)
    }

    @Test func `TSL-05 a configured origin is allowed in addition to the issuer's`() async {
        let uri = "https://status.example.com/lists/1"
        let scene = StatusListScene { $0.statusLists.additionalOrigins = ["https://status.example.com"] }
        let lists = TestStatusListIssuer(of: scene.issuer, at: uri)
        var trusted = lists.trusted(inflatingWith: ZlibInflater())
        trusted.statusLists.additionalOrigins = ["https://status.example.com"]
        let resource = ProtectedResource(
            "https://api.example.com/notes", trusting: trusted, time: scene.clock.time)
        let token = scene.token(lists.claims(at: 1))
        #expect(await resource.refusal(of: .get("/notes", bearer: token)) == nil)
        #expect(lists.requests.map(\.url) == [uri])
    }

    @Test func `TSL-34 a list is no access token`() async throws {
        let scene = StatusListScene()
        #expect(await scene.reason(scene.lists.token) == .unsupportedTokenType)
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.authorizationServers = [scene.issuer.issuer]
        var configuration = ProtectedResource.Configuration(metadata, trusting: [scene.issuer.trusted])
        configuration.tokens.acceptedTypes = ["at+jwt", "statuslist+jwt"]
        let invalid = configuration
        let found = problems { () throws(ConfigurationError) in
            _ = try ProtectedResource(validating: invalid)
        }
        #expect(found.count == 1)
    }

    @Test func `TSL-34 an access token is no list`() async {
        let scene = StatusListScene()
        scene.lists.fault = .body(Array(scene.token(at: 1).utf8))
        #expect(await scene.reason(scene.token(at: 1)) == .statusListUnavailable)
        #expect(scene.faults == [.unusableStatusList(.wrongType)])
    }

    @Test func `TSL-35 the metadata say nothing of status lists`() async {
        let scene = StatusListScene(use: .required)
        let plain = ProtectedResource(
            "https://api.example.com/notes", trusting: scene.issuer.trusted, scopes: ["notes:read"])
        #expect(scene.resource.metadataHash == plain.metadataHash)
    }

    @Test func `each setting is checked`() throws {
        let issuer = TestIssuer("https://as.example.com")
        func problems(_ adjust: (inout StatusListPolicy) -> Void) -> [String] {
            var trusted = issuer.trusted
            adjust(&trusted.statusLists)
            var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
            metadata.authorizationServers = [issuer.issuer]
            let configuration = ProtectedResource.Configuration(metadata, trusting: [trusted])
            return PortcullisTests.problems { () throws(ConfigurationError) in
                _ = try ProtectedResource(validating: configuration)
            }.compactMap(\.path)
        }
        #expect(problems { $0.use = .required }.count == 1)
        #expect(problems { $0.use = .off } == [])
        for origin in ["http://a.example", "https://a.example/", "https://a.example/x", "a.example", ""] {
            #expect(problems { $0.additionalOrigins = [origin] }.count == 1, "\(origin)")
        }
        #expect(problems { $0.additionalOrigins = ["https://a.example:8443"] } == [])
        for values: Set<UInt8> in [[], [3], [0, 1], [0, 2]] {
            #expect(problems { $0.validValues = values }.count == 1)
        }
        #expect(problems { $0.validValues = [0, 3, 255] } == [])
        #expect(problems { $0.maxResponseByteCount = 1023 }.count == 1)
        #expect(problems { $0.maxListByteCount = 0 }.count == 1)
        #expect(problems { $0.maxListByteCount = 67_108_865 }.count == 1)
        #expect(problems { $0.gracePeriod = .seconds(-1) }.count == 1)
        #expect(problems { $0.gracePeriod = .seconds(86_401) }.count == 1)
        #expect(problems { $0.maxRedirectCount = 4 }.count == 1)
    }
}
