// SPDX-License-Identifier: MIT

import PortcullisHTTP
public import PortcullisJOSE

/// Finds out how a resource is protected, as its clients do: from its challenge to its metadata to its authorization servers.
///
/// For clients and gateways. Every URL that is fetched comes from others, so all of them are held to the same bounds: https, public
/// addresses (the default fetcher's part), no redirects, a size and a time. What is found is checked as RFC 9728 §3.3 and RFC 8414 §3.3
/// demand before it is handed out. Documents are kept for as long as their `Cache-Control` says, and fetched once at a time.
///
/// RFC 9728 §3, §5, RFC 8414 §3.
public struct ProtectedResourceDiscovery: Sendable {
    /// The bounds, and what is accepted.
    public struct Configuration: Sendable {
        /// The bound for each exchange.
        ///
        /// Default 5 seconds.
        public var timeout: Duration = .seconds(5)
        /// The bound for the body of each response, in bytes.
        ///
        /// Default 1 MiB.
        public var maxResponseByteCount = 1_048_576
        /// Whether `http` URLs of this machine are fetched, for development.
        ///
        /// Default false. The fetcher has to let loopback addresses through as well.
        public var allowsInsecureLoopback = false
        /// Which resource a document may be about, when a challenge led to it.
        ///
        /// Default ``ResourceMatching/identical``.
        public var resourceMatching = ResourceMatching.identical
        /// What is done with `signed_metadata`.
        ///
        /// Default: it is verified, with the resource's own keys alone.
        public var signedMetadata = SignedMetadataPolicy.verified(signers: [:])
        /// The longest time for which a document is used without asking again, whatever its `max-age`.
        ///
        /// Default one day; zero keeps nothing.
        public var maxCacheAge: Duration = .seconds(86_400)
        /// How many documents are kept, of 64 KiB at most.
        ///
        /// Default 256.
        public var maxCachedDocumentCount = 256

        /// Makes the default configuration.
        public init() {}
    }

    /// Which resource a document may be about.
    public enum ResourceMatching: Sendable, Hashable {
        /// The URL that was called, byte for byte.
        ///
        /// RFC 9728 §3.3.
        case identical
        /// That URL, or one above it on the same origin, by whole segments, as the MCP clients have it.
        case identicalOrAbove
    }

    /// What is done with `signed_metadata`.
    ///
    /// RFC 9728 §2.2.
    public enum SignedMetadataPolicy: Sendable {
        /// It is not looked at.
        case ignored
        /// It has to be valid where there is one, and its values win over the plain ones.
        ///
        /// `signers` are further issuers with their keys. The resource itself, or its origin, may always sign: with the keys at its
        /// `jwks_uri`, if that lies on its origin.
        case verified(signers: [String: JWKSet])
    }

    /// How many authorization servers of a resource are asked: it could name thousands, of anybody's.
    ///
    /// RFC 9728 §7.7.
    package static let maximumServerCount = 16

    /// The bounds, and what is accepted.
    public let configuration: Configuration
    let time: TimeSource
    let fetcher: any Fetcher
    private let documents: DocumentCache

    /// Makes a discovery with a cache of its own.
    ///
    /// - Parameters:
    ///   - fetcher: The way to the network. Default: connects to public addresses only.
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
    /// Without a challenge that names the metadata, they are looked for at the well-known location. Waits for three exchanges one after
    /// the other at least, each within the time-out. Of the authorization servers the first 16 are asked.
    ///
    /// - Throws: ``DiscoveryError``. If no authorization server of the list can be used, the error is the first one's.
    ///
    /// RFC 9728 §5.
    public func discover(_ url: String) async throws(DiscoveryError) -> DiscoveredResource {
        let identifier = try identifier(url)
        let response = try await answer(at: url)
        let isChallenge = response.status == .unauthorized || response.status == .forbidden
        let lines = isChallenge ? response.fields.values(of: .wwwAuthenticate) : []
        return try await follow(lines, from: identifier)
    }

    /// The answer to a call without a token, of whatever status.
    package func answer(at url: String) async throws(DiscoveryError) -> FetchResponse {
        guard IssuerURL.isFetchable(url, allowingInsecureLoopback: configuration.allowsInsecureLoopback)
        else { throw .insecureURL }
        let request = FetchRequest(
            url: url, fields: [.accept: "application/json"], timeout: configuration.timeout,
            maxResponseByteCount: configuration.maxResponseByteCount)
        do throws(FetchError) {
            return try await fetcher.fetch(request)
        } catch {
            throw .noResponse(error)
        }
    }

    /// Follows a challenge that the client has got already, which is how it learns that metadata have changed.
    ///
    /// - Parameters:
    ///   - url: The URL that was called.
    ///   - challenge: The `WWW-Authenticate` lines of its answer.
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
        // A field that is not as the grammar has it says nothing that could be relied on.
        let challenges = (try? ReceivedChallenge.list(in: lines)) ?? []
        let found: DiscoveredMetadata
        if let location = ReceivedChallenge.metadataURL(in: challenges) {
            found = try await metadata(at: location, challengedAt: identifier.text)
        } else {
            found = try await metadata(of: identifier)
        }
        var result = DiscoveredResource(url: identifier.text, challenges: challenges, metadata: found)
        for issuer in found.metadata.authorizationServers.prefix(Self.maximumServerCount) {
            do throws(DiscoveryError) {
                result.authorizationServers.append(try await authorizationServer(issuer))
            } catch {
                result.faults.append(.init(issuer: issuer, error: error))
            }
        }
        if result.authorizationServers.isEmpty, let fault = result.faults.first { throw fault.error }
        return result
    }

    /// The metadata of a resource, from its well-known location.
    ///
    /// - Throws: ``DiscoveryError``; ``DiscoveryError/resourceMismatch`` unless the document names this very resource.
    ///
    /// RFC 9728 §3.1, §3.3.
    public func metadata(of identifier: ResourceIdentifier) async throws(DiscoveryError) -> DiscoveredMetadata
    {
        let location = identifier.metadataURL
        let object = try await document(at: location)
        return try await read(object, from: location) { $0.utf8.elementsEqual(identifier.text.utf8) }
    }

    /// The metadata that a challenge points to.
    ///
    /// - Parameters:
    ///   - location: The `resource_metadata` of the challenge; any host may have it.
    ///   - url: The URL that the challenge came from, which decides on the resource that the document may name.
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
                    .init("The document names its resource (RFC 9728 §2).", path: "$.resource"))
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

    /// The object at a URL: 200, `application/json`, strict.
    private func document(at url: String) async throws(DiscoveryError) -> JSONObject {
        let response = try await response(from: url)
        guard response.isJSON else { throw .wrongMediaType }
        guard let object = (try? JSONValue.parse(response.body))?.object else { throw .malformedDocument }
        return object
    }

    /// The answer of 200 at a URL that may be fetched.
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

    /// Forgets all documents, so that everything is asked for anew.
    public func forget() async {
        await documents.removeAll()
    }
}

extension ProtectedResourceDiscovery.ResourceMatching {
    /// Whether a document about this resource may be used by a client that called that URL.
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
    /// Whether the media type is `application/json`, with whatever parameters.
    package var isJSON: Bool {
        let value = fields[.contentType] ?? ""
        let type = value.utf8.prefix { $0 != 0x3B && $0 != 0x20 && $0 != 0x09 }
        return ASCII.equalIgnoringCase(String(decoding: type, as: UTF8.self), "application/json")
    }
}
