// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport
import Synchronization

/// The state of one resource, shared by all its copies.
final class Gate: Sendable {
    let metadata: ProtectedResourceMetadata
    let publisher: MetadataPublisher
    /// `nil` where there is only the well-known location, which is derived when it is needed.
    private let ownLocations: MetadataLocations?
    let hasRootAlias: Bool
    let linksFromAnswers: Bool
    let mirrorsAuthorizationServer: Bool
    /// The HTTP client passed by the host program, if any.
    let fetcher: (any Fetcher)?
    let onEvent: @Sendable (ResourceEvent) -> Void
    /// The check of the `Origin` field; `nil` outside the MCP profile.
    let originCheck: OriginCheck?
    /// The constant finding for a request without credentials.
    let absence: RefusalFinding
    let warnings: [String]
    let presentation: Presentation
    let rules: AccessRules
    var challenger: Challenger { rules.challenger }
    /// `nil` if DPoP is not accepted.
    let dpop: DPoPChecker?
    /// Whether a proof sent with an unbound token makes the request malformed.
    let refusesStrayProofs: Bool
    let validator: TokenValidator
    let tokens: TokenPolicy
    let maxTokenByteCount: Int
    let rejectionLifetime: Duration
    /// The tokens that passed all checks.
    let verified: TokenTable<VerifiedToken>
    /// The rejected introspected tokens; a separate table, so that a flood of them evicts no valid token.
    let rejected: TokenTable<RejectedToken>

    /// The number of the last invalidation here: an answer requested before it is not cached after it.
    ///
    /// Numbers are unique within the process, since resources share calls to an issuer: the answer to a
    /// question of one resource from before an invalidation must not answer a question of another from after
    /// it.
    let epoch = Atomic<UInt64>(Gate.invalidationCount.load(ordering: .sequentiallyConsistent))
    private static let invalidationCount = Atomic<UInt64>(0)

    /// Begins an epoch that no other resource is in.
    func beginEpoch() {
        let number = Self.invalidationCount.add(1, ordering: .sequentiallyConsistent).newValue
        epoch.store(number, ordering: .sequentiallyConsistent)
    }

    private let detailReports = ReportInterval()
    private let nonceReports = ReportInterval()
    private let algorithmReports = ReportInterval()

    static let maximumRejectedCount = 1024

    /// Whether both use the same fetcher, so that what one has fetched is valid for the other.
    func asksThroughSameFetcher(as other: Gate) -> Bool {
        guard let fetcher, let theirs = other.fetcher else { return fetcher == nil && other.fetcher == nil }
        return (fetcher as AnyObject) === (theirs as AnyObject)
    }

    init(_ configuration: ProtectedResource.Configuration) throws(ConfigurationError) {
        let configuration = configuration.withIssuerTraits()
        let checked = try configuration.checked()
        metadata = checked.metadata
        warnings = checked.warnings
        hasRootAlias = configuration.rootAlias
        fetcher = configuration.fetcher
        onEvent = configuration.onEvent
        originCheck = checked.originCheck
        mirrorsAuthorizationServer = configuration.publishing.mirrorsAuthorizationServer
        linksFromAnswers = configuration.publishing.linksFromAnswers
        let resource = checked.metadata.resource
        let locations =
            configuration.hasFurtherLocations
            ? MetadataLocations(
                of: resource, configuration.publishing, rootAlias: configuration.rootAlias) : nil
        ownLocations = locations.flatMap { $0 == MetadataLocations(of: resource) ? nil : $0 }
        publisher = try configuration.makePublisher(checked.metadata)
        let tokens = configuration.profile.completed(configuration.tokens)
        self.tokens = tokens
        let presentation = Presentation(metadata)
        self.presentation = presentation
        let dpopAlgorithms = Presentation.dpopAlgorithms(metadata)
        absence = RefusalFinding(expected: presentation.places, got: "none")
        let challenger = Challenger(
            metadataURL: locations?.advertised ?? resource.metadataURL,
            parameters: checked.challengeParameters,
            takesBearer: presentation.takesBearer, dpopAlgorithms: dpopAlgorithms,
            namesAuthorizationDetails: tokens.challengesAuthorizationDetails,
            scope: configuration.challengeScope, of: metadata.scopesSupported)
        rules = AccessRules(tokens, metadata: metadata, challenger: challenger, time: configuration.time)
        dpop = dpopAlgorithms.map {
            DPoPChecker(
                tokens.dpop, algorithms: $0, resource: configuration.metadata.resource,
                memories: configuration.proofMemories, time: configuration.time)
        }
        refusesStrayProofs = dpop != nil && tokens.dpop.refusesStrayProofs
        validator = TokenValidator(
            tokens, format: checked.format, resource: metadata.resource, rules: rules,
            connections: configuration.connections(), patterns: configuration.tenantDirectories(),
            time: configuration.time)
        maxTokenByteCount = tokens.maxTokenByteCount
        rejectionLifetime = tokens.inactiveCacheLifetime
        verified = TokenTable(capacity: tokens.verifiedCacheEntryCount)
        rejected = TokenTable(
            capacity: tokens.inactiveCacheLifetime > .zero
                ? min(tokens.verifiedCacheEntryCount, Self.maximumRejectedCount) : 0)
    }

    var locations: MetadataLocations { ownLocations ?? MetadataLocations(of: metadata.resource) }

    /// Reports what is unusual about a token that was just verified, each at most once a minute.
    ///
    /// - Parameters:
    ///   - hasNonce: Whether an introspected token is a JWT with a nonce.
    ///   - algorithm: The algorithm of a JWT's signature.
    ///
    /// RFC 9396 §9.1, RFC 8725 §3.12, draft-ietf-oauth-rfc8725bis §3.2.
    func reportUnusual(_ token: AccessToken, hasNonce: Bool, _ algorithm: SignatureAlgorithm?) {
        if rules.findsMalformedDetails(in: token.storage), detailReports.isDue(at: validator.time.uptime()) {
            onEvent(.malformedAuthorizationDetails(issuer: token.issuer, resource: metadata.resource))
        }
        // OpenID Connect Core §2: a claim of ID tokens, which some servers write into access tokens too.
        if hasNonce || token.claims.hasValue("nonce"), nonceReports.isDue(at: validator.time.uptime()) {
            onEvent(.tokenWithNonce(issuer: token.issuer, resource: metadata.resource))
        }
        if token.format == .jwt, let algorithm, algorithm.isPolymorphic,
            algorithmReports.isDue(at: validator.time.uptime())
        {
            onEvent(
                .deprecatedAlgorithm(issuer: token.issuer, resource: metadata.resource, algorithm: algorithm))
        }
    }
}
