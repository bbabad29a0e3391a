// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Synchronization
import Testing

/// The declarations of a case: the resource, and its route's requirements.
struct AdmissionDeclaration {
    var metadata: ProtectedResourceMetadata
    var issuers: [TrustedIssuer]
    var tokens = TokenPolicy.default
    var profile = ResourceProfile.general
    var requirement: AccessRequirement = "notes:read"
    var challengeScope = ChallengeScope.route

    init(_ stage: AdmissionStage) {
        metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.authorizationServers = [AdmissionStage.issuerName]
        metadata.scopesSupported = ["notes:read", "notes:write"]
        metadata.bearerMethodsSupported = [.header]
        issuers = [stage.issuer.trusted]
    }

    private static let authentication = ClientAuthentication.clientSecretBasic(id: "rs", secret: "s")

    /// Fetches keys from a URL.
    mutating func fetchKeys() {
        issuers = [.jwt(issuer: AdmissionStage.issuerName, keys: .remote(AdmissionStage.keysURL))]
    }

    /// Introspects every token.
    mutating func introspect() {
        issuers = [
            .introspection(
                issuer: AdmissionStage.issuerName, endpoint: AdmissionStage.endpoint,
                authenticatedBy: Self.authentication)
        ]
    }

    /// Verifies JWTs and introspects other tokens.
    mutating func verifyOrIntrospect(_ keys: JWKSet) {
        issuers = [
            .jwtOrIntrospection(
                issuer: AdmissionStage.issuerName, keys: .fixed(keys), endpoint: AdmissionStage.endpoint,
                authenticatedBy: Self.authentication)
        ]
    }

    /// Accepts DPoP, with the replay records in memory or in a store that suspends.
    mutating func takeDPoP(_ store: any ReplayStore, algorithms: [String] = ["ES256", "EdDSA"]) {
        metadata.dpopSigningAlgorithmsSupported = algorithms
        tokens.dpop.replayStore = store
    }

    func resource(_ stage: AdmissionStage) throws -> ProtectedResource {
        var configuration = ProtectedResource.Configuration(
            metadata, trusting: issuers, tokens: tokens, profile: profile,
            fetcher: LoggedFetcher(stage.network, stage.calls), time: stage.clock.time)
        configuration.challengeScope = challengeScope
        return try ProtectedResource(validating: configuration)
    }
}

/// One row of the table: the declaration of the resource, and the requests to it.
struct AdmissionCase: Sendable, CustomTestStringConvertible {
    typealias Declare = @Sendable (inout AdmissionDeclaration, AdmissionStage) -> Void
    typealias Play = @Sendable (AdmissionScene) async throws -> Void

    let name: String
    let declare: Declare
    let play: Play

    init(
        _ name: String, _ declare: @escaping Declare = { _, _ in }, play: @escaping Play
    ) {
        self.name = name
        self.declare = declare
        self.play = play
    }

    var testDescription: String { name }
}

/// One run of a case through one entry; records the result of each request.
final class AdmissionScene: Sendable {
    let stage: AdmissionStage
    let resource: ProtectedResource
    private let requirement: AccessRequirement
    private let entry: AdmissionEntry
    private let describesRefusals: Bool
    private let recorded = Mutex<[AdmissionExchange]>([])

    init(_ row: AdmissionCase, _ entry: AdmissionEntry, describingRefusals: Bool = true) throws {
        stage = AdmissionStage()
        var declaration = AdmissionDeclaration(stage)
        row.declare(&declaration, stage)
        resource = try declaration.resource(stage)
        requirement = declaration.requirement
        self.entry = entry
        describesRefusals = describingRefusals
    }

    var exchanges: [AdmissionExchange] { recorded.withLock { $0 } }

    /// Sends a request, and records the answer and the calls that it needed.
    @discardableResult
    func send(
        _ method: Method, _ target: String, _ fields: [(String, String)],
        content: String = "", certificate: ClientCertificate = .none,
        requiring other: AccessRequirement? = nil
    ) async throws -> EntryAnswer {
        let host = [("Host", "api.example.com")]
        let type = content.isEmpty ? [] : [("Content-Type", "application/x-www-form-urlencoded")]
        let head = RequestHead.test(method, target, fields: host + fields + type)
        let call = AdmissionCall(
            head: head, content: Array(content.utf8), certificate: certificate,
            describesRefusals: describesRefusals)
        let before = stage.memory.count
        let answer = try await entry.ask(call, of: resource, requiring: other ?? requirement)
        if stage.memory.count != before { stage.calls.add("replay memory: insert, fresh") }
        if let nonce = answer.field("DPoP-Nonce") { stage.name(nonce, "nonce") }
        let request = ["\(method.name) \(target)"] + (fields + type).map { "\($0.0): \($0.1)" }
        let content = content.isEmpty ? [] : [content]
        let exchange = AdmissionExchange(
            request: (request + content).map(stage.stable), answer: answer, calls: stage.calls.take(),
            mayLackToken: (other ?? requirement).mayLackToken, stable: stage.stable)
        recorded.withLock { $0.append(exchange) }
        return answer
    }

    /// Sends a `GET` for the resource itself.
    @discardableResult
    func send(
        _ fields: [(String, String)], certificate: ClientCertificate = .none,
        requiring other: AccessRequirement? = nil
    ) async throws -> EntryAnswer {
        try await send(.get, "/notes", fields, certificate: certificate, requiring: other)
    }

    /// Sends a bearer token.
    @discardableResult
    func bearer(_ token: String, requiring other: AccessRequirement? = nil) async throws -> EntryAnswer {
        try await send([("Authorization", "Bearer \(token)")], requiring: other)
    }

    /// Sends the same bearer token twice.
    func bearerTwice(_ token: String) async throws {
        try await bearer(token)
        try await bearer(token)
    }

    /// Sends a token in the scheme DPoP.
    @discardableResult
    func dpop(_ token: String, _ proofs: String..., target: String = "/notes") async throws -> EntryAnswer {
        try await send(
            .get, target, [("Authorization", "DPoP \(token)")] + proofs.map { ("DPoP", $0) })
    }
}
