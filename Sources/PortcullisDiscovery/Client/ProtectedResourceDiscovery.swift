// SPDX-License-Identifier: MIT

public import Portcullis
import PortcullisHTTP
public import PortcullisJOSE

/// Discovers how a resource is protected: from its challenge to its metadata to its authorization servers.
///
/// For clients and gateways. Every fetched URL comes from other parties, so all have the same bounds: https,
/// public addresses (by the default fetcher), no redirects, a maximum length and a timeout. Documents are
/// validated by RFC 9728 §3.3 and RFC 8414 §3.3 before they are returned, and cached by their
/// `Cache-Control`. Concurrent calls share the fetch of a document.
///
/// RFC 9728 §3, §5, RFC 8414 §3.
public struct ProtectedResourceDiscovery: Sendable {
    /// The bounds and policies of a discovery.
    public struct Configuration: Sendable {
        /// The timeout of each exchange.
        ///
        /// Default 5 seconds.
        public var timeout: Duration = .seconds(5)
        /// The maximum length of each response's body, in bytes.
        ///
        /// Default 1 MiB.
        public var maxResponseByteCount = 1_048_576
        /// Whether `http` URLs of this machine are fetched, for development.
        ///
        /// Default `false`. The fetcher must allow loopback addresses too.
        public var allowsInsecureLoopback = false
        /// The resources that a document may name, if a challenge led to it.
        ///
        /// Default ``ResourceMatching/identical``.
        public var resourceMatching = ResourceMatching.identical
        /// The treatment of `signed_metadata`.
        ///
        /// Default: verified, with only the resource's own keys.
        public var signedMetadata = SignedMetadataPolicy.verified(signers: [:])
        /// The maximum time that a document is cached without revalidation, whatever its `max-age`.
        ///
        /// Default one day; zero disables the cache.
        public var maxCacheAge: Duration = .seconds(86_400)
        /// The maximum number of cached documents, of at most 64 KiB each.
        ///
        /// Default 256.
        public var maxCachedDocumentCount = 256

        /// Creates the default configuration.
        public init() {}
    }

    /// The resources that a document may name.
    public enum ResourceMatching: Sendable, Hashable {
        /// The called URL, byte for byte.
        ///
        /// RFC 9728 §3.3.
        case identical
        /// The called URL, or a parent of it on the same origin, by whole segments, as in MCP clients.
        case identicalOrAbove
    }

    /// The treatment of `signed_metadata`.
    ///
    /// RFC 9728 §2.2.
    public enum SignedMetadataPolicy: Sendable {
        /// Ignores it.
        case ignored
        /// Requires it to be valid if present; its values replace the unsigned ones.
        ///
        /// `signers` are additional issuers with their keys. The resource itself, or its origin, may always
        /// sign, with the keys at its `jwks_uri` if that is on its origin.
        case verified(signers: [String: JWKSet])
    }

    /// The bounds and policies of a discovery.
    public let configuration: Configuration
    let time: TimeSource
    let fetcher: any Fetcher
    private let documents: DocumentCache

    /// Creates a discovery with its own cache.
    ///
    /// - Parameters:
    ///   - fetcher: The HTTP client. Default: connects only to public addresses.
    ///   - configuration: The bounds.
    ///   - time: The clocks, for the age of documents and the `exp` of signed ones.
    public init(
        fetcher: any Fetcher = .publicAddressesOnly, configuration: Configuration = Configuration(),
        time: TimeSource = .system
    ) {
        self.fetcher = fetcher
        self.configuration = configuration
        self.time = time
        documents = DocumentCache(fetcher, configuration, time: time)
    }

    /// Calls a URL without a token, and follows its challenge to metadata and authorization servers.
    ///
    /// If no challenge names the metadata, it is fetched from the well-known location. Makes at least three
    /// consecutive requests, each within the timeout. Fetches at most the first
    /// `ProtectedResourceMetadata.maxAuthorizationServerCount` authorization servers, one after another.
    ///
    /// - Throws: ``DiscoveryError``. If no listed authorization server is usable, the error of the first one.
    ///
    /// RFC 9728 §5.
    public func discover(_ url: String) async throws(DiscoveryError) -> DiscoveredResource {
        let identifier = try identifier(url)
        let response = try await answer(at: url)
        let isChallenge = response.status == .unauthorized || response.status == .forbidden
        let lines = isChallenge ? response.fields.values(of: .wwwAuthenticate) : []
        return try await follow(lines, from: identifier)
    }

    /// Returns the response to a request without a token, whatever its status.
    ///
    /// - Parameters:
    ///   - isPost: Whether it is a POST, with an empty JSON object.
    ///   - credentials: A value of `Authorization` that no server accepts; `nil` for none.
    package func answer(
        at url: String, isPost: Bool = false, credentials: String? = nil
    ) async throws(DiscoveryError) -> FetchResponse {
        guard IssuerURL.isFetchable(url, allowingInsecureLoopback: configuration.allowsInsecureLoopback)
        else { throw .insecureURL }
        var fields: Fields = [.accept: "application/json"]
        if isPost { fields[.contentType] = "application/json" }
        if let credentials { fields[.authorization] = credentials }
        let request = FetchRequest(
            url: url, method: isPost ? .post : .get, fields: fields, body: isPost ? Array("{}".utf8) : [],
            timeout: configuration.timeout, maxResponseByteCount: configuration.maxResponseByteCount)
        do throws(FetchError) {
            return try await fetcher.fetch(request)
        } catch {
            throw .noResponse(error)
        }
    }

    /// Follows a challenge that the client has already received; it may mean that the metadata has changed.
    ///
    /// - Parameters:
    ///   - url: The called URL.
    ///   - challenge: The `WWW-Authenticate` lines of the response.
    /// - Throws: ``DiscoveryError``.
    ///
    /// RFC 9728 §5.2.
    public func discover(
        _ url: String, challengedWith challenge: [String]
    ) async throws(DiscoveryError) -> DiscoveredResource {
        try await follow(challenge, from: identifier(url))
    }

    private func identifier(_ url: String) throws(DiscoveryError) -> ResourceIdentifier {
        guard let identifier = try? ResourceIdentifier(validating: url),
            IssuerURL.isFetchable(url, allowingInsecureLoopback: configuration.allowsInsecureLoopback)
        else { throw .invalidURL }
        return identifier
    }

    private func follow(
        _ lines: [String], from identifier: ResourceIdentifier
    ) async throws(DiscoveryError) -> DiscoveredResource {
        // A field that violates the grammar is ignored.
        let challenges = (try? ReceivedChallenge.list(in: lines)) ?? []
        let found: DiscoveredMetadata
        if let location = ReceivedChallenge.metadataURL(in: challenges) {
            found = try await metadata(at: location, challengedAt: identifier.text)
        } else {
            found = try await metadata(of: identifier)
        }
        var result = DiscoveredResource(url: identifier.text, challenges: challenges, metadata: found)
        let issuers = found.metadata.authorizationServers
        for issuer in issuers.prefix(ProtectedResourceMetadata.maxAuthorizationServerCount) {
            do throws(DiscoveryError) {
                result.authorizationServers.append(try await authorizationServer(issuer))
            } catch {
                result.faults.append(.init(issuer: issuer, error: error))
            }
        }
        if result.authorizationServers.isEmpty, let fault = result.faults.first { throw fault.error }
        return result
    }

    /// Fetches the metadata of a resource from its well-known location.
    ///
    /// - Throws: ``DiscoveryError``; ``DiscoveryError/resourceMismatch`` unless the document names exactly
    ///   this resource.
    ///
    /// RFC 9728 §3.1, §3.3.
    public func metadata(of identifier: ResourceIdentifier) async throws(DiscoveryError) -> DiscoveredMetadata
    {
        let location = identifier.metadataURL
        let object = try await document(at: location)
        return try await read(object, from: location) { $0.utf8.elementsEqual(identifier.text.utf8) }
    }

    /// Fetches the metadata that a challenge names.
    ///
    /// - Parameters:
    ///   - location: The `resource_metadata` of the challenge; it may be on any host.
    ///   - url: The URL that the challenge came from, which determines the resource that the document may
    ///     name.
    /// - Throws: ``DiscoveryError``.
    ///
    /// RFC 9728 §3.3.
    public func metadata(
        at location: String, challengedAt url: String
    ) async throws(DiscoveryError) -> DiscoveredMetadata {
        let object = try await document(at: location)
        let matching = configuration.resourceMatching
        return try await read(object, from: location) { matching.accepts($0, for: url) }
    }

    private func read(
        _ object: JSONObject, from location: String, matching: (String) -> Bool
    ) async throws(DiscoveryError) -> DiscoveredMetadata {
        let (effective, signer) = try await applySignedValues(of: object)
        guard let resource = effective["resource"]?.string, matching(resource) else {
            throw effective["resource"]?.string == nil
                ? .invalidMetadata(
                    .init("The document must name its resource (RFC 9728 §2).", path: "$.resource"))
                : .resourceMismatch
        }
        do throws(ConfigurationError) {
            let metadata = try ProtectedResourceMetadata(json: .object(effective))
            return DiscoveredMetadata(
                location: location, metadata: metadata, document: object, signer: signer)
        } catch {
            throw .invalidMetadata(error)
        }
    }

    /// Fetches the JSON object at a URL: 200, `application/json`, strict.
    private func document(at url: String) async throws(DiscoveryError) -> JSONObject {
        let response = try await response(from: url)
        guard response.isJSON else { throw .wrongMediaType }
        guard let object = (try? JSONValue.parse(response.body))?.object else { throw .malformedDocument }
        return object
    }

    /// Fetches a URL that the configuration allows, and requires the status 200.
    func response(from url: String) async throws(DiscoveryError) -> FetchResponse {
        guard IssuerURL.isFetchable(url, allowingInsecureLoopback: configuration.allowsInsecureLoopback)
        else {
            throw .insecureURL
        }
        switch await documents.response(from: url) {
        case .failure(let error): throw .noResponse(error)
        case .success(let response):
            guard response.status == .ok else { throw .status(response.status.code) }
            return response
        }
    }

    /// Empties the cache, so that every document is fetched again.
    public func forget() async {
        await documents.removeAll()
    }
}

extension ProtectedResourceDiscovery.ResourceMatching {
    /// Whether a client that called a URL may use a document about this resource.
    package func accepts(_ resource: String, for url: String) -> Bool {
        if resource.utf8.elementsEqual(url.utf8) { return true }
        guard self == .identicalOrAbove, url.utf8.starts(with: resource.utf8),
            (try? HTTPURL(resource))?.query == nil
        else { return false }
        let next = url.utf8.dropFirst(resource.utf8.count).first
        return resource.utf8.last == 0x2F || next == 0x2F || next == 0x3F
    }
}

extension FetchResponse {
    /// Whether the media type is `application/json`, ignoring parameters.
    package var isJSON: Bool {
        let value = fields[.contentType] ?? ""
        let type = value.utf8.prefix { $0 != 0x3B && $0 != 0x20 && $0 != 0x09 }
        return ASCII.equalIgnoringCase(String(decoding: type, as: UTF8.self), "application/json")
    }
}
