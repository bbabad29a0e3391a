// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport
import Synchronization

/// A resource that needs a valid access token: its metadata, its trusted issuers, its rules.
///
/// Create it once, at start-up; copies are cheap and share their caches. The metadata document, the challenge
/// and the audience are derived from it. Works with any server; see ``authorize(_:requiring:in:)``.
///
/// RFC 9728 §2, RFC 6750 §3.
public struct ProtectedResource: Sendable {
    let gate: Gate

    /// Declares a resource in code.
    ///
    /// Its metadata lists the issuers, the scopes, and the `Authorization` field as the place for tokens.
    /// Traps with a message on an invalid declaration; for values known only at run time use
    /// ``init(validating:)``.
    ///
    /// - Parameters:
    ///   - identifier: The resource's URL, which is also the audience of its tokens.
    ///   - issuers: The authorization servers whose tokens are accepted, the preferred one first.
    ///   - scopes: The scopes that clients may request.
    ///   - name: The human-readable name.
    ///   - tokens: The rules for access tokens. Default: RFC 9068.
    ///   - dpop: Whether tokens may or must be bound to a client key, and the rules for proofs. Default
    ///     `.none`.
    ///   - fetcher: The HTTP client for keys and introspection; `nil` for the package's own.
    ///   - time: The clocks. Default the machine's.
    ///   - onEvent: Called with each event that an operator should know about. Must not block.
    ///   - file: The file reported with a mistake. Default: the caller's.
    ///   - line: The line reported with a mistake. Default: the caller's.
    ///
    /// RFC 9728 §2.
    public init(
        _ identifier: ResourceIdentifier, trusting issuers: TrustedIssuer..., scopes: [Scope] = [],
        name: String? = nil, tokens: TokenPolicy = .default, dpop: DPoPUse = .none,
        fetcher: (any Fetcher)? = nil,
        time: TimeSource = .system, onEvent: @escaping @Sendable (ResourceEvent) -> Void = { _ in },
        file: StaticString = #fileID, line: UInt = #line
    ) {
        var metadata = ProtectedResourceMetadata(resource: identifier)
        metadata.authorizationServers = issuers.map(\.issuer)
        metadata.scopesSupported = scopes
        metadata.bearerMethodsSupported = [.header]
        metadata.resourceName = LocalizedText(name)
        var tokens = tokens
        if dpop.isAccepted {
            metadata.dpopSigningAlgorithmsSupported = DPoPPolicy.allAlgorithms.map(\.rawValue)
        }
        if dpop.isRequired { metadata.dpopBoundAccessTokensRequired = true }
        if let policy = dpop.policy { tokens.dpop = policy }
        do throws(ConfigurationError) {
            gate = try Gate(
                Configuration(
                    metadata, trusting: issuers, tokens: tokens, fetcher: fetcher, time: time,
                    onEvent: onEvent))
            gate.observeSharedCaches()
        } catch {
            endForMistake(error.inShortDeclaration().description, file: file, line: line)
        }
    }

    /// Declares a resource from values known only at run time.
    ///
    /// - Throws: ``ConfigurationError`` with all problems.
    ///
    /// RFC 9728 §2.
    public init(validating configuration: Configuration) throws(ConfigurationError) {
        do throws(ConfigurationError) {
            try self.init(configuration)
        } catch {
            throw error.inCode()
        }
    }

    package init(_ configuration: Configuration) throws(ConfigurationError) {
        gate = try Gate(configuration)
        gate.observeSharedCaches()
    }

    /// The resource's identifier.
    public var identifier: ResourceIdentifier { gate.metadata.resource }
    /// The resource's metadata.
    public var metadata: ProtectedResourceMetadata { gate.metadata }
    /// Whether the document is also served at the well-known path without the resource's path.
    package var hasRootAlias: Bool { gate.hasRootAlias }
    /// The scopes that clients may request.
    package var declaredScopes: [Scope] { gate.metadata.scopesSupported }
    /// Warnings about allowed but unwise settings, one sentence each, for the start-up log.
    package var warnings: [String] { gate.warnings }

    /// Returns the scopes of a requirement that the resource does not declare, most likely typing errors.
    ///
    /// Empty if the resource declares no scopes, since the list is optional. RFC 9728 §2.
    package func undeclaredScopes(in requirement: AccessRequirement) -> [Scope] {
        gate.metadata.scopesSupported.isEmpty
            ? [] : requirement.scopes.scopes.filter { !gate.metadata.scopesSupported.contains($0) }
    }

    /// Returns the authorization details types of a requirement that the resource does not list.
    ///
    /// RFC 9396 §10.
    package func undeclaredTypes(in requirement: AccessRequirement) -> [String] {
        requirement.authorizationDetails.map(\.type).filter { type in
            !gate.metadata.authorizationDetailsTypesSupported.contains {
                $0.utf8.elementsEqual(type.utf8)
            }
        }
    }

    /// Whether one of the issuers has introspection.
    package var canIntrospect: Bool { gate.validator.connections.contains { $0.introspector != nil } }

    /// Starts loading missing keys, so that the first request need not wait.
    ///
    /// Does not wait itself.
    public func warmUp() {
        let now = gate.validator.time.uptime()
        for connection in gate.validator.connections { connection.keys?.refreshInBackground(at: now) }
    }

    /// Whether every issuer has usable keys, or needs none.
    ///
    /// Loads missing ones in the background.
    public var isReady: Bool {
        warmUp()
        let now = gate.validator.time.uptime()
        return gate.validator.format == .opaque
            || gate.validator.connections.allSatisfy { $0.keys?.publication.isUsable(at: now) ?? true }
    }

}

/// The state of one resource, shared by all its copies.
final class Gate: Sendable {
    let metadata: ProtectedResourceMetadata
    let publisher: MetadataPublisher
    let locations: MetadataLocations
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
    let challenger: Challenger
    let presentation: Presentation
    let rules: AccessRules
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

    /// The time of the last report of malformed authorization details, in nanoseconds; 0 for never.
    private let lastDetailReport = Atomic<UInt64>(0)

    static let maximumRejectedCount = 1024
    private static let detailReportInterval: UInt64 = 60_000_000_000

    /// Whether both use the same fetcher, so that what one has fetched is valid for the other.
    func asksThroughSameFetcher(as other: Gate) -> Bool {
        guard let fetcher, let theirs = other.fetcher else { return fetcher == nil && other.fetcher == nil }
        return (fetcher as AnyObject) === (theirs as AnyObject)
    }

    init(_ configuration: ProtectedResource.Configuration) throws(ConfigurationError) {
        let checked = try configuration.checked()
        metadata = checked.metadata
        warnings = checked.warnings
        hasRootAlias = configuration.rootAlias
        fetcher = configuration.fetcher
        onEvent = configuration.onEvent
        originCheck = checked.originCheck
        mirrorsAuthorizationServer = configuration.publishing.mirrorsAuthorizationServer
        linksFromAnswers = configuration.publishing.linksFromAnswers
        locations = MetadataLocations(
            of: metadata.resource, configuration.publishing, rootAlias: configuration.rootAlias)
        publisher = try configuration.makePublisher(checked.metadata)
        let tokens = configuration.tokens
        self.tokens = tokens
        let presentation = Presentation(metadata)
        self.presentation = presentation
        absence = RefusalFinding(expected: presentation.places, got: "none")
        challenger = Challenger(
            metadataURL: locations.advertised, parameters: checked.challengeParameters,
            takesBearer: presentation.takesBearer, dpopAlgorithms: presentation.dpopAlgorithms,
            namesAuthorizationDetails: tokens.challengesAuthorizationDetails)
        rules = AccessRules(tokens, metadata: metadata, challenger: challenger, time: configuration.time)
        dpop = presentation.dpopAlgorithms.map {
            DPoPChecker(
                tokens.dpop, algorithms: $0, resource: configuration.metadata.resource,
                memories: configuration.proofMemories, time: configuration.time)
        }
        refusesStrayProofs = dpop != nil && tokens.dpop.refusesStrayProofs
        validator = TokenValidator(
            tokens, format: checked.format, resource: metadata.resource, rules: rules,
            connections: configuration.connections(), time: configuration.time)
        maxTokenByteCount = tokens.maxTokenByteCount
        rejectionLifetime = tokens.inactiveCacheLifetime
        verified = TokenTable(capacity: tokens.verifiedCacheEntryCount)
        rejected = TokenTable(
            capacity: tokens.inactiveCacheLifetime > .zero
                ? min(tokens.verifiedCacheEntryCount, Self.maximumRejectedCount) : 0)
    }

    /// Reports malformed authorization details of a token that was just verified, at most once a minute.
    ///
    /// RFC 9396 §9.1.
    func reportDetails(of token: AccessToken) {
        guard rules.findsMalformedDetails(in: token.storage) else { return }
        let now = validator.time.uptime().nanoseconds
        let last = lastDetailReport.load(ordering: .relaxed)
        guard last == 0 || now &- last >= Self.detailReportInterval,
            lastDetailReport.compareExchange(expected: last, desired: max(now, 1), ordering: .relaxed)
                .exchanged
        else { return }
        onEvent(.malformedAuthorizationDetails(issuer: token.issuer, resource: metadata.resource))
    }
}

/// Whether a resource accepts tokens that are bound to a client key, and the rules for their proofs.
///
/// RFC 9449 §4.3, §5.2, §7.
public struct DPoPUse: Sendable {
    let isAccepted: Bool
    let isRequired: Bool
    /// `nil` for the defaults.
    let policy: DPoPPolicy?

    /// DPoP is not accepted.
    public static let none = DPoPUse(isAccepted: false, isRequired: false, policy: nil)
    /// Bound and unbound tokens are accepted, with the defaults of ``DPoPPolicy``.
    public static let accepted = DPoPUse(isAccepted: true, isRequired: false, policy: nil)
    /// Only bound tokens are accepted, with the defaults of ``DPoPPolicy``.
    public static let required = DPoPUse(isAccepted: true, isRequired: true, policy: nil)

    /// Bound and unbound tokens are accepted.
    public static func accepted(_ policy: DPoPPolicy) -> DPoPUse {
        DPoPUse(isAccepted: true, isRequired: false, policy: policy)
    }

    /// Only bound tokens are accepted.
    public static func required(_ policy: DPoPPolicy) -> DPoPUse {
        DPoPUse(isAccepted: true, isRequired: true, policy: policy)
    }
}

/// An introspected token that was rejected, and how long the rejection is cached.
struct RejectedToken: Sendable {
    let reason: RefusalReason
    /// The time at which the issuer was asked, or shortly before.
    let askedAt: MonotonicInstant
    let until: MonotonicInstant
    /// The finding of the first rejection, if one was requested.
    let finding: RefusalFinding?
}
