// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Synchronization

/// The surroundings of one resource: a clock, an issuer, clients, and the resource's calls to the outside,
/// each recorded.
final class AdmissionStage: Sendable {
    static let identifier = "https://api.example.com/notes"
    static let issuerName = "https://as.example.com"
    static let keysURL = issuerName + "/jwks"
    static let endpoint = issuerName + "/introspect"

    let clock = ManualClock()
    let calls = CallLog()
    /// The issuer that the resource trusts.
    let issuer: TestIssuer
    /// Another key with the same key ID.
    let impostor: TestIssuer
    /// An issuer that the resource does not trust.
    let stranger: TestIssuer
    /// The client whose key tokens are bound to.
    let client: TestDPoPClient
    let otherClient: TestDPoPClient
    let network = ScriptedFetcher()
    /// The status list of the trusted issuer.
    let list: TestStatusListIssuer
    let sharedCache: LoggedCache
    /// A replay store that suspends, and whose verdicts a case can script.
    let store: LoggedReplayStore
    let memory: InMemoryReplayStore
    let certificate: [UInt8] = Array("the client's certificate".utf8)
    let otherCertificate: [UInt8] = Array("another certificate".utf8)
    private let names = Mutex<[(value: String, name: String)]>([])

    init() {
        let time = clock.time
        issuer = TestIssuer(Self.issuerName, time: time)
        impostor = TestIssuer(Self.issuerName, time: time)
        stranger = TestIssuer("https://other.example.com", time: time)
        client = TestDPoPClient(time: time)
        otherClient = TestDPoPClient(time: time)
        list = TestStatusListIssuer(of: issuer)
        sharedCache = LoggedCache(calls, uptime: clock.time.uptime)
        store = LoggedReplayStore(calls)
        memory = InMemoryReplayStore(capacity: 100, uptime: clock.time.uptime)
        name(client.thumbprint, "client key")
        name(otherClient.thumbprint, "other client key")
        name(Digest.sha256(certificate).base64URL, "certificate hash")
        name(Digest.sha256(otherCertificate).base64URL, "other certificate hash")
        publish([issuer.key.publicKey])
        network.on(
            Self.issuerName + "/.well-known/oauth-authorization-server",
            json: [
                "issuer": .string(Self.issuerName), "jwks_uri": .string(Self.keysURL),
                "introspection_endpoint": .string(Self.endpoint),
            ])
        let list = list
        network.on(list.uri) { request throws(FetchError) in try await list.fetch(request) }
        introspect(Self.active)
    }

    // MARK: The issuer's answers

    /// An introspection answer for an active token.
    static let active: JSONObject = [
        "active": true, "iss": .string(issuerName), "aud": .string(identifier), "sub": "user-1",
        "client_id": "client-1", "scope": "notes:read",
    ]

    func introspect(_ members: JSONObject) { network.on(Self.endpoint, json: .object(members)) }

    /// Answers with the members of ``active`` and these.
    func introspectActive(_ members: JSONObject) {
        var answer = Self.active
        for member in members.members { answer[member.name] = member.value }
        introspect(answer)
    }

    func publish(_ keys: [JWK]) { network.on(Self.keysURL, json: .object(JWKSet(keys).publicJSON)) }

    // MARK: Tokens and proofs

    func mint(
        _ name: String = "token", by issuer: TestIssuer? = nil, scope: String? = "notes:read",
        boundTo client: TestDPoPClient? = nil, certificate: [UInt8]? = nil, claims: JSONObject = [:],
        omitting: [String] = [], header: JSONObject = [:]
    ) -> String {
        let token = (issuer ?? self.issuer).mint(
            audience: Self.identifier, scope: scope, boundTo: client, certificate: certificate,
            claims: claims, omitting: omitting, header: header)
        return named(token, name)
    }

    /// An opaque token, long enough for a finding to show its hash.
    func opaque(_ name: String = "token") -> String {
        named("opaque.0123456789abcdef0123456789abcdef-" + name.replacing(" ", with: "-"), name)
    }

    /// A token without a key ID.
    func nameless() throws -> String {
        var key = issuer.key.jsonIncludingPrivateMembers
        key["kid"] = nil
        let payload = Base64URL.decode(String(mint("unused").split(separator: ".")[1])) ?? []
        let token = try PrivateJWK(key).sign(
            header: ["typ": "at+jwt"], payload: payload, algorithm: .es256)
        return named(token, "token")
    }

    func proof(
        _ name: String = "proof", for token: String, by client: TestDPoPClient? = nil,
        _ uri: String = identifier, nonce: String? = nil, claims: JSONObject = [:], omitting: [String] = [],
        header: JSONObject = [:]
    ) -> String {
        let proof = (client ?? self.client).proof(
            .get, uri, token: token, nonce: nonce, claims: claims, omitting: omitting, header: header)
        self.name(proof, name)
        return proof
    }

    // MARK: Names for what differs from run to run

    /// Names a token and its hash in the record.
    func named(_ token: String, _ name: String) -> String {
        self.name(token, name)
        self.name(Digest.sha256(Array(token.utf8)).base64URL, "hash of \(name)")
        return token
    }

    /// Names a value, and its prefix that findings show, in the record.
    func name(_ value: String, _ name: String) {
        names.withLock { names in
            if !names.contains(where: { $0.value == value }) { names.append((value, name)) }
        }
    }

    /// A text with names in place of values that differ from run to run.
    func stable(_ text: String) -> String {
        var text = text
        for (value, name) in names.withLock({ $0 }).sorted(by: { $0.value.count > $1.value.count }) {
            text = text.replacing(value, with: "{\(name)}")
            if value.utf8.count == 43 { text = text.replacing(value.prefix(16), with: "{\(name)}") }
        }
        return text
    }
}
