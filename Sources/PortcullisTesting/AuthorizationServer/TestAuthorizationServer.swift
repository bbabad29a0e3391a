// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisJOSE
import Synchronization

/// An in-memory authorization server for tests and demonstrations, never for production.
///
/// Any client may register, and the consent page does not authenticate the user. State is bounded and is lost
/// with the process. No socket is needed: ``handle(method:target:fields:body:)`` takes a request and returns
/// the response.
/// A token is bound to the key of a DPoP proof that comes with its request, or to the client's certificate.
/// Used proofs are not recorded.
///
/// RFC 6749, RFC 7009, RFC 7591, RFC 7636, RFC 7662, RFC 8414, RFC 8705 §3, RFC 8707, RFC 9068, RFC 9207,
/// RFC 9449 §5, RFC 9700 §4.14, draft-ietf-oauth-client-id-metadata-document-00.
public final class TestAuthorizationServer: Sendable {
    /// Its configuration.
    public let configuration: Configuration
    let paths: EndpointPaths
    private let state: Mutex<AuthorizationServerState>
    private let documents: (any Fetcher)?
    private let now: @Sendable () -> NumericDate

    /// Creates a server with a new key and without clients.
    ///
    /// - Parameters:
    ///   - configuration: The issuer, its resources and scopes, and its limits.
    ///   - documents: Fetches client ID metadata documents, from URLs that clients choose.
    ///     Default `nil`: clients must register.
    ///   - now: The time, for `iat` and `exp`. Default: the machine's.
    /// - Throws: `JOSEError` if no key can be generated.
    public init(
        _ configuration: Configuration, fetchingClientsWith documents: (any Fetcher)? = nil,
        now: @escaping @Sendable () -> NumericDate = TimeSource.system.now
    ) throws(JOSEError) {
        self.configuration = configuration
        self.documents = documents
        self.now = now
        paths = EndpointPaths(issuer: configuration.issuer)
        state = Mutex(
            try AuthorizationServerState(configuration, paths, takesClientDocuments: documents != nil))
    }

    /// The issuer identifier.
    public var issuer: String { configuration.issuer }

    /// Answers one request.
    ///
    /// - Parameters:
    ///   - method: The method, in upper case.
    ///   - target: Path and query, as in the request line.
    ///   - fields: The header fields; only `Authorization` and `DPoP` are read.
    ///   - body: A form, or the JSON of a registration.
    public func handle(
        method: String, target: String, fields: [(name: String, value: String)] = [], body: [UInt8] = []
    ) -> Answer {
        let now = now()
        let request = EndpointRequest(method: method, target: target, fields: fields, body: body)
        return state.withLock { $0.answer(request, now: now) }
    }

    /// Answers one request, after fetching the metadata document of its client if that is one's URL.
    ///
    /// The parameters are those of ``handle(method:target:fields:body:)``.
    public func respond(
        method: String, target: String, fields: [(name: String, value: String)] = [], body: [UInt8] = []
    ) async -> Answer {
        await respond(to: EndpointRequest(method: method, target: target, fields: fields, body: body))
    }

    func respond(to request: EndpointRequest) async -> Answer {
        if let documents, let url = request.clientDocumentURL(at: paths), lacksClient(url) {
            let client = await ClientDocument.fetch(url, with: documents, now: now)
            if let client { state.withLock { $0.clients.insert(client, for: url) } }
        }
        let now = now()
        return state.withLock { $0.answer(request, now: now) }
    }

    /// Whether the document of a client is unknown or too old; if so, the client is forgotten.
    private func lacksClient(_ url: String) -> Bool {
        let now = now()
        return state.withLock { state in
            guard let client = state.clients[url], let end = client.freshUntil else {
                return state.clients[url] == nil
            }
            if end <= now { state.clients.remove(url) }
            return end <= now
        }
    }

    /// Makes a token without a grant.
    ///
    /// - Throws: `JOSEError` if signing fails.
    public func makeToken(_ request: TokenRequest) throws(JOSEError) -> String {
        let now = now()
        return try state.withLock { state throws(JOSEError) in try state.makeToken(request, now: now) }
    }

    /// Registers a client, or a resource server that introspects, with a given `client_id`.
    public func register(clientID: String, secret: String?) {
        state.withLock { $0.register(clientID: clientID, secret: secret) }
    }

    /// Revokes a token: introspection calls it inactive from now on.
    ///
    /// RFC 7009 §2.
    public func revoke(_ token: String) {
        state.withLock { $0.revoke(token) }
    }

    /// Signs with a new key from now on.
    ///
    /// - Parameter droppingOldKeys: Whether the old keys are removed from the JWK set at once. Default false.
    /// - Throws: `JOSEError` if no key can be generated.
    public func rotateKeys(droppingOldKeys: Bool = false) throws(JOSEError) {
        try state.withLock { state throws(JOSEError) in try state.rotateKeys(droppingOldKeys: droppingOldKeys)
        }
    }

    /// Simulates a fault at an endpoint until `nil` is set.
    public func setFault(_ fault: Fault?, at endpoint: Endpoint) {
        state.withLock { $0.faults[endpoint] = fault }
    }

    /// The number of requests to an endpoint, faults included.
    public func requestCount(at endpoint: Endpoint) -> Int {
        state.withLock { $0.requestCounts[endpoint, default: 0] }
    }
}
