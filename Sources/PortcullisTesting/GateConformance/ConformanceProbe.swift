// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisTransport

/// One check of the suite.
struct ConformanceCheck: Sendable {
    let clause: String
    let name: String
    let run: @Sendable (ConformanceProbe) async throws(ConformanceProblem) -> Void

    init(
        _ clause: String, _ name: String,
        _ run: @escaping @Sendable (ConformanceProbe) async throws(ConformanceProblem) -> Void
    ) {
        self.clause = clause
        self.name = name
        self.run = run
    }
}

/// What a check found.
struct ConformanceProblem: Error {
    let message: String

    init(_ message: String) {
        self.message = message
    }
}

/// Sends the requests of the suite, and knows what is under test.
struct ConformanceProbe: Sendable {
    private static let timeout = Duration.seconds(10)

    let target: GateConformance
    /// Scheme and authority of the gate, without a path.
    let origin: String
    /// The path of the route.
    let path: String
    private let client: HTTPClient
    private let clientWithCertificate: HTTPClient?

    /// Returns `nil` unless the URL is below the resource's path.
    init?(_ target: GateConformance) {
        guard let url = try? HTTPURL(target.url), !url.path.isEmpty else { return nil }
        let base = target.resource.url.path
        guard url.path == base || url.path.hasPrefix(base.hasSuffix("/") ? base : base + "/") else {
            return nil
        }
        self.target = target
        origin = String(target.url.prefix(url.authorityEnd))
        path = url.path
        client = HTTPClient(configuration: .init(roots: target.roots))
        clientWithCertificate = target.certificates.map {
            HTTPClient(configuration: .init(roots: target.roots, identity: $0.identity))
        }
    }

    // MARK: What is expected

    /// The URL of the metadata, as clients compute it.
    var metadataURL: String { target.resource.metadataURL }

    /// The path of the metadata at the gate.
    var metadataPath: String { target.resource.wellKnownPath }

    /// The URI of the route as DPoP proofs name it.
    ///
    /// RFC 9449 §4.2.
    var proofURI: String { target.resource.text.prefix(target.resource.url.authorityEnd) + path }

    /// A token that opens the route.
    var goodToken: String { target.issuer.mint(audience: target.resource.text, scope: target.scope) }

    // MARK: Requests

    /// Sends a request, by default a GET of the route.
    ///
    /// - Parameters:
    ///   - fields: Names and values.
    ///   - presentsCertificate: Whether the client presents its certificate.
    func send(
        _ fields: [(String, String)] = [], method: Method = .get, path: String? = nil,
        presentsCertificate: Bool = false
    ) async throws(ConformanceProblem) -> ConformanceAnswer {
        let request = HTTPClient.Request(
            url: origin + (path ?? self.path), method: method,
            fields: fields.compactMap { name, value in FieldName(name).map { ($0, value) } },
            deadline: Self.timeout)
        let client = presentsCertificate ? clientWithCertificate ?? client : client
        do throws(HTTPClientError) {
            return ConformanceAnswer(try await client.execute(request))
        } catch {
            throw ConformanceProblem("no answer: \(error)")
        }
    }

    /// Sends a token in the Bearer scheme.
    func send(bearer token: String) async throws(ConformanceProblem) -> ConformanceAnswer {
        try await send([("Authorization", "Bearer \(token)")])
    }

    // MARK: Expectations

    /// Expects a status of the gate, or the one that clients get for it.
    func expect(_ answer: ConformanceAnswer, _ status: Int) throws(ConformanceProblem) {
        try expectUnmapped(answer, target.statusMapping[status])
    }

    /// Expects a status of a document, which no proxy asks about.
    func expectUnmapped(_ answer: ConformanceAnswer, _ status: Int) throws(ConformanceProblem) {
        guard answer.status == status else {
            throw ConformanceProblem("expected \(status), not \(answer.status)")
        }
    }

    func expectSuccess(_ answer: ConformanceAnswer) throws(ConformanceProblem) {
        guard (200...299).contains(answer.status) else {
            throw ConformanceProblem("expected 2xx, not \(answer.status)")
        }
    }

    /// Expects a refusal with its challenge.
    ///
    /// - Parameters:
    ///   - error: The error code; `nil` if the challenge must have none.
    ///   - scheme: The scheme of the challenge.
    func expectRefusal(
        _ answer: ConformanceAnswer, _ status: Int, _ error: String?, scheme: String = "Bearer"
    ) throws(ConformanceProblem) {
        try expect(answer, status)
        guard answer.values(of: "Cache-Control") == ["no-store"] else {
            throw ConformanceProblem("expected Cache-Control: no-store")
        }
        let challenges = answer.challenges.filter { $0.scheme == scheme }
        guard challenges.count == 1, let challenge = challenges.first else {
            throw ConformanceProblem(
                "expected one challenge with the scheme \(scheme), not \(challenges.count)")
        }
        guard challenge["error"] == error else {
            throw ConformanceProblem(
                "expected \(error.map { "the error \($0)" } ?? "no error"), not \(challenge["error"] ?? "none")"
            )
        }
        guard challenge["resource_metadata"] == metadataURL else {
            throw ConformanceProblem("expected resource_metadata to be \(metadataURL)")
        }
    }
}
