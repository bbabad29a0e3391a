// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// The state of a test authorization server; handles requests.
struct AuthorizationServerState: Sendable {
    typealias Answer = TestAuthorizationServer.Answer
    typealias Endpoint = TestAuthorizationServer.Endpoint
    typealias Fault = TestAuthorizationServer.Fault

    let configuration: TestAuthorizationServer.Configuration
    let paths: EndpointPaths
    var keys: IssuerKeys
    var clients: BoundedTable<RegisteredClient>
    var codes: BoundedTable<IssuedCode>
    var tokens: BoundedTable<IssuedToken>
    var refreshTokens: BoundedTable<IssuedRefreshToken>
    /// Whether clients may be URLs of metadata documents.
    let takesClientDocuments: Bool
    var faults: [Endpoint: Fault] = [:]
    var requestCounts: [Endpoint: Int] = [:]
    /// The hash of the certificate of the client whose request is being answered; `nil` without one.
    private(set) var certificateThumbprint: String?

    init(
        _ configuration: TestAuthorizationServer.Configuration, _ paths: EndpointPaths,
        takesClientDocuments: Bool
    ) throws(JOSEError) {
        self.takesClientDocuments = takesClientDocuments
        self.configuration = configuration
        self.paths = paths
        keys = try IssuerKeys(configuration.algorithm)
        clients = BoundedTable(maxCount: configuration.maxClientCount)
        codes = BoundedTable(maxCount: configuration.maxCodeCount)
        tokens = BoundedTable(maxCount: configuration.maxTokenCount)
        refreshTokens = BoundedTable(maxCount: configuration.maxTokenCount)
    }

    mutating func answer(_ request: EndpointRequest, now: NumericDate) -> Answer {
        guard let endpoint = paths.endpoint(at: request.path) else { return .plain(.notFound) }
        requestCounts[endpoint, default: 0] += 1
        certificateThumbprint = request.certificateThumbprint
        let allowed = Self.methods(of: endpoint)
        guard allowed.contains(request.method) else {
            // Browsers send a preflight before requests with JSON or an Authorization field.
            if request.method == "OPTIONS", endpoint != .authorization { return .preflight(allowed) }
            return Answer(status: .methodNotAllowed, fields: [.allow: allowed.joined(separator: ", ")])
        }
        if let answer = simulatedFault(at: endpoint) { return answer }
        codes.removeAll { $0.expiresAt <= now }
        switch endpoint {
        case .metadata: return .json(.ok, metadata)
        case .keys: return .json(.ok, publishedKeys)
        case .registration: return register(request, now: now)
        case .authorization: return authorize(request, now: now)
        case .token: return issueToken(request, now: now)
        case .introspection: return introspect(request, now: now)
        case .revocation: return revoke(request)
        }
    }

    private static func methods(of endpoint: Endpoint) -> [String] {
        switch endpoint {
        case .metadata, .keys: ["GET", "HEAD"]
        case .authorization: ["GET", "HEAD", "POST"]
        case .registration, .token, .introspection, .revocation: ["POST"]
        }
    }

    /// The response of an endpoint that is configured to fail, or `nil`.
    private func simulatedFault(at endpoint: Endpoint) -> Answer? {
        switch faults[endpoint] {
        case .status(let status): .plain(status)
        case .hang: Answer(status: .serviceUnavailable, hangs: true)
        case .malformedBody:
            Answer(status: .ok, fields: [.contentType: "application/json"], body: Array("{\"".utf8))
        case .redirect: Answer(status: .found, fields: [.location: paths.url(of: endpoint)])
        case .oversizedBody:
            Answer(
                status: .ok, fields: [.contentType: "application/json"],
                body: Array("{".utf8) + [UInt8](repeating: 0x20, count: 2_097_152) + Array("}".utf8))
        case .wrongIssuer, .emptyKeySet, nil: nil
        }
    }

    /// The issuer that an endpoint names.
    func issuer(at endpoint: Endpoint) -> String {
        faults[endpoint] == .wrongIssuer ? "https://someone-else.invalid" : configuration.issuer
    }

    /// RFC 8414 §2.
    private var metadata: JSONObject {
        let authentication: JSONValue = ["client_secret_basic", "client_secret_post"]
        var object: JSONObject = [
            "issuer": .string(issuer(at: .metadata)),
            "authorization_endpoint": .string(paths.url(of: .authorization)),
            "token_endpoint": .string(paths.url(of: .token)),
            "jwks_uri": .string(paths.url(of: .keys)),
            "registration_endpoint": .string(paths.url(of: .registration)),
            "introspection_endpoint": .string(paths.url(of: .introspection)),
            "revocation_endpoint": .string(paths.url(of: .revocation)),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": .strings(RegisteredClient.supportedGrants),
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "introspection_endpoint_auth_methods_supported": authentication,
            "revocation_endpoint_auth_methods_supported": [
                "client_secret_basic", "client_secret_post", "none",
            ],
            "code_challenge_methods_supported": ["S256"],
            "dpop_signing_alg_values_supported": .strings(TokenProof.algorithms.map(\.rawValue)),
            "authorization_response_iss_parameter_supported": true,
        ]
        if !configuration.scopes.isEmpty { object["scopes_supported"] = .strings(configuration.scopes) }
        if !configuration.resources.isEmpty {
            object["protected_resources"] = .strings(configuration.resources)
        }
        if takesClientDocuments { object["client_id_metadata_document_supported"] = true }
        return object
    }

    private var publishedKeys: JSONObject {
        faults[.keys] == .emptyKeySet ? ["keys": []] : keys.published
    }

    mutating func rotateKeys(droppingOldKeys: Bool) throws(JOSEError) {
        try keys.rotate(droppingOld: droppingOldKeys)
    }
}

extension JSONValue {
    static func strings(_ strings: [String]) -> JSONValue {
        .array(strings.map { .string($0) })
    }
}

/// A random identifier that cannot be guessed.
func randomIdentifier() -> String {
    Base64URL.encode(SecureRandom.bytes(24))
}
