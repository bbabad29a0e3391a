// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// Where and how the metadata of a resource is published, in addition to its well-known location.
///
/// RFC 9728 §2.2, §3, §5.1.
public struct MetadataPublishing: Sendable {
    /// Additional well-known suffixes for the same document, such as `example-protected-resource`.
    ///
    /// Default none. Each URL is derived from the identifier like the first one. A suffix must be registered
    /// with IANA.
    ///
    /// RFC 9728 §3.
    public var additionalSuffixes: [String] = []
    /// The metadata URL in challenges instead of the well-known location, if another program serves that.
    ///
    /// Default `nil`. If it has the identifier's scheme, host and port, the document is served there too,
    /// without a token. It is always served at the well-known location too, if requests for that arrive.
    ///
    /// RFC 9728 §5.1.
    public var advertisedURL: String?
    /// Whether guarded answers carry `Link: <…>; rel="oauth-protected-resource"`, for scanners.
    ///
    /// Default false. RFC 8288 §3.
    public var linksFromAnswers = false
    /// Whether the first authorization server's metadata is also served, unchanged, at the resource's origin.
    ///
    /// Default `false`. For clients of the MCP revision of 2025-03-26, which look there: at
    /// `/.well-known/oauth-authorization-server` followed by the resource's path, and, for the first such
    /// resource of an origin, without it. Only the routes of this package's server do that: a synchronous
    /// answer such as ``ResourceRegistry/Snapshot/metadataResponse(to:)`` can't fetch another server's
    /// document.
    public var mirrorsAuthorizationServer = false
    /// The signature of the metadata.
    ///
    /// Default `nil`: unsigned.
    ///
    /// RFC 9728 §2.2.
    public var signing: MetadataSigning?
    /// Further public keys at the metadata's `jwks_uri`, if that is on the same server.
    ///
    /// Default none. For keys that sign something else than the metadata, such as the statements for a
    /// server behind a gateway. Each gets `kid` and `use` if it has none. RFC 9728 §2.
    public var publishedKeys: [JWK] = []

    /// Makes settings with the defaults.
    public init() {}
}

extension MetadataPublishing {
    /// The problems of the locations.
    func problems(for resource: ResourceIdentifier, at path: String) -> [ConfigurationError.Problem] {
        var problems: [ConfigurationError.Problem] = []
        for (index, suffix) in additionalSuffixes.enumerated() {
            let place = "\(path).additional_well_known_suffixes[\(index)]"
            if let sentence = WellKnownLocation.objection(toSuffix: suffix) {
                problems.append(.init(path: place, sentence))
            } else if additionalSuffixes[..<index].contains(where: { $0.utf8.elementsEqual(suffix.utf8) }) {
                problems.append(.init(path: place, "This suffix is given more than once."))
            }
        }
        guard let advertisedURL else { return problems }
        let url = try? ResourceIdentifier(validating: advertisedURL)
        if url == nil || (resource.url.isSecure && url?.url.isSecure == false) {
            problems.append(
                .init(
                    path: "\(path).metadata_url",
                    "The value must be an https URL without fragment or ambiguous path (RFC 9728 §5.1)."))
        } else if !Challenge.isQuotable(advertisedURL) {
            problems.append(
                .init(path: "\(path).metadata_url", "The URL has characters that a challenge can't contain."))
        }
        return problems
    }
}
