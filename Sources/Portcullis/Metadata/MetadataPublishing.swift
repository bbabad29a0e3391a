// SPDX-License-Identifier: MIT

/// Where and how the metadata of a resource is published, besides the well-known location that its identifier gives.
///
/// RFC 9728 §2.2, §3, §5.1.
public struct MetadataPublishing: Sendable {
    /// More well-known suffixes under which the same document is served, such as `example-protected-resource`.
    ///
    /// Default none. Each URL is derived from the identifier as the first one is. A suffix has to be registered with IANA.
    ///
    /// RFC 9728 §3.
    public var additionalSuffixes: [String] = []
    /// The URL that challenges name instead of the well-known location, for hosts whose root is somebody else's.
    ///
    /// Default nothing. Where it has the identifier's scheme, host and port, the document is served there too, without a token. It is
    /// served at the well-known location in any case, if requests for that arrive.
    ///
    /// RFC 9728 §5.1.
    public var advertisedURL: String?
    /// Whether guarded answers carry `Link: <…>; rel="oauth-protected-resource"`, which some scanners look for.
    ///
    /// Default false. RFC 8288 §3.
    public var linksFromAnswers = false
    /// Whether the metadata of the first listed authorization server is served, unchanged, at the resource's own origin.
    ///
    /// Default false. For clients of the MCP revision of 2025-03-26, which look there: at
    /// `/.well-known/oauth-authorization-server`, with the resource's path behind it, and, for the first such resource of an origin,
    /// without. Only the routes of this package's server do that: what answers for a document at once, such as
    /// ``ResourceRegistry/Snapshot/metadataResponse(to:)``, has none of another server's, which may have to be fetched.
    public var mirrorsAuthorizationServer = false
    /// How the metadata is signed.
    ///
    /// Default nothing: it is not.
    ///
    /// RFC 9728 §2.2.
    public var signing: MetadataSigning?

    /// Makes settings with the defaults.
    public init() {}
}

extension MetadataPublishing {
    /// What is wrong with the places.
    func problems(for resource: ResourceIdentifier, at path: String) -> [ConfigurationError.Problem] {
        var problems: [ConfigurationError.Problem] = []
        for (index, suffix) in additionalSuffixes.enumerated() {
            let place = "\(path).additional_well_known_suffixes[\(index)]"
            if let sentence = WellKnownLocation.objection(toSuffix: suffix) {
                problems.append(.init(path: place, sentence))
            } else if additionalSuffixes[..<index].contains(where: { $0.utf8.elementsEqual(suffix.utf8) }) {
                problems.append(.init(path: place, "The same suffix stands here twice."))
            }
        }
        guard let advertisedURL else { return problems }
        let url = try? ResourceIdentifier(validating: advertisedURL)
        if url == nil || (resource.url.isSecure && url?.url.isSecure == false) {
            problems.append(
                .init(
                    path: "\(path).metadata_url",
                    "This is the https URL of the document: no fragment, no ambiguous path (RFC 9728 §5.1)."))
        } else if !Challenge.isQuotable(advertisedURL) {
            problems.append(.init(path: "\(path).metadata_url", "This holds what no challenge can carry."))
        }
        return problems
    }
}
