// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport
import Synchronization

/// Something that only requests with a good access token may use: what it is, whom it trusts, what it demands.
///
/// Made once, at start-up; cheap to copy, and all copies share what they have learnt. Everything a client needs is
/// derived from it: the metadata document, the challenge, the audience. Works with any server; see
/// ``authorize(_:requiring:in:)``.
///
/// RFC 9728 §2, RFC 6750 §3.
public struct ProtectedResource: Sendable {
    let gate: Gate

    /// Declares a resource in code.
    ///
    /// Its metadata lists the issuers, the scopes, and that tokens come in the `Authorization` field. Traps, with a
    /// sentence, on anything that can't work; values known at run time only go through
    /// ``init(validating:)``.
    ///
    /// - Parameters:
    ///   - identifier: The resource's URL, which is also the audience of its tokens.
    ///   - issuers: The authorization servers whose tokens are taken, the preferred one first.
    ///   - scopes: What clients may ask for.
    ///   - name: A name for people.
    ///   - tokens: What is demanded of tokens. Default that of RFC 9068.
    ///   - dpop: Whether tokens may or must be bound to a key of the client, and what is demanded of the proofs. Default neither.
    ///   - fetcher: The way to the network, for keys and introspection; nothing for the package's own.
    ///   - time: The clocks. Default the machine's.
    ///   - onEvent: Is told what an operator should know. Must not wait.
    ///   - file: The file that a mistake is reported in. Default: the caller's.
    ///   - line: The line that a mistake is reported in. Default: the caller's.
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

    /// Declares a resource from values that are known at run time only.
    ///
    /// - Throws: ``ConfigurationError`` with everything that is wrong.
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
    /// What the resource says about itself.
    public var metadata: ProtectedResourceMetadata { gate.metadata }
    /// Whether the document is also served at the root of the well-known path.
    package var hasRootAlias: Bool { gate.hasRootAlias }
    /// The scopes that clients may ask for.
    package var declaredScopes: [Scope] { gate.metadata.scopesSupported }
    /// What is allowed but unwise, a sentence each, for the log at start-up.
    package var warnings: [String] { gate.warnings }

    /// The scopes of a requirement that the resource does not declare: a typing error in all likelihood.
    ///
    /// None where the resource declares no scope at all, since the list is optional. RFC 9728 §2.
    package func undeclaredScopes(in requirement: AccessRequirement) -> [Scope] {
        gate.metadata.scopesSupported.isEmpty
            ? [] : requirement.scopes.scopes.filter { !gate.metadata.scopesSupported.contains($0) }
    }

    /// The types of authorization details in a requirement that the resource does not know, so that nothing meets it.
    ///
    /// RFC 9396 §10.
    package func undeclaredTypes(in requirement: AccessRequirement) -> [String] {
        requirement.authorizationDetails.map(\.type).filter { type in
            !gate.metadata.authorizationDetailsTypesSupported.contains {
                $0.utf8.elementsEqual(type.utf8)
            }
        }
    }

    /// Whether there is an issuer that can be asked about tokens.
    package var canIntrospect: Bool { gate.validator.connections.contains { $0.introspector != nil } }

    /// Starts loading the keys that are not there, so that the first request need not wait.
    ///
    /// Does not wait itself.
    public func warmUp() {
        let now = gate.validator.time.uptime()
        for connection in gate.validator.connections { connection.keys?.refreshInBackground(at: now) }
    }

    /// Whether every issuer has keys that can be used, or needs none.
    ///
    /// Loads missing ones in the background.
    public var isReady: Bool {
        warmUp()
        let now = gate.validator.time.uptime()
        return gate.validator.format == .opaque
            || gate.validator.connections.allSatisfy { $0.keys?.publication.isUsable(at: now) ?? true }
    }

}

/// What one resource is at work with; shared by all copies of it.
final class Gate: Sendable {
    let metadata: ProtectedResourceMetadata
    let publisher: MetadataPublisher
    let locations: MetadataLocations
    let hasRootAlias: Bool
    let linksFromAnswers: Bool
    let mirrorsAuthorizationServer: Bool
    /// The way to the network that was given, if one was.
    let fetcher: (any Fetcher)?
    let onEvent: @Sendable (ResourceEvent) -> Void
    /// The web pages that may call, or nothing where that is nobody's business.
    let originCheck: OriginCheck?
    /// What there is to say of a request without credentials: always the same.
    let absence: RefusalFinding
    let warnings: [String]
    let challenger: Challenger
    let presentation: Presentation
    let rules: AccessRules
    /// Nothing where DPoP is not taken.
    let dpop: DPoPChecker?
    /// Whether a proof that goes with no bound token makes the request malformed.
    let refusesStrayProofs: Bool
    let validator: TokenValidator
    let tokens: TokenPolicy
    let maxTokenByteCount: Int
    let rejectionLifetime: Duration
    /// Tokens that were found good.
    let verified: TokenTable<VerifiedToken>
    /// Introspected tokens that were found bad; a table of its own, so that a flood of them displaces no good one.
    let rejected: TokenTable<RejectedToken>

    /// The number of the last invalidation here, so that an answer that was asked for before one is not remembered after it.
    ///
    /// Numbers are the process's own, since resources share calls to an issuer: what one of them has asked before an invalidation
    /// must not be taken for an answer to what another asks behind it.
    let epoch = Atomic<UInt64>(Gate.invalidationCount.load(ordering: .sequentiallyConsistent))
    private static let invalidationCount = Atomic<UInt64>(0)

    /// Begins an epoch that no other resource is in.
    func beginEpoch() {
        let number = Self.invalidationCount.add(1, ordering: .sequentiallyConsistent).newValue
        epoch.store(number, ordering: .sequentiallyConsistent)
    }

    /// When malformed authorization details were told last, in nanoseconds; 0 for never.
    private let lastDetailReport = Atomic<UInt64>(0)

    static let maximumRejectedCount = 1024
    private static let detailReportInterval: UInt64 = 60_000_000_000

    /// Whether both ask the network in one way, so that what one of them has fetched says the same to the other.
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
        let dpopAlgorithms = Presentation.dpopAlgorithms(metadata)
        absence = RefusalFinding(expected: presentation.places, got: "none")
        challenger = Challenger(
            metadataURL: locations.advertised, parameters: checked.challengeParameters,
            takesBearer: presentation.takesBearer, dpopAlgorithms: dpopAlgorithms,
            namesAuthorizationDetails: tokens.challengesAuthorizationDetails)
        rules = AccessRules(tokens, metadata: metadata, challenger: challenger, time: configuration.time)
        dpop = dpopAlgorithms.map {
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

    /// Tells of a token that has just been verified what its issuer should know.
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

/// Whether a resource accepts tokens that are bound to a key of the client, and what it demands of the proofs.
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
    /// Bound tokens only are accepted, with the defaults of ``DPoPPolicy``.
    public static let required = DPoPUse(isAccepted: true, isRequired: true, policy: nil)

    /// Bound and unbound tokens are accepted.
    public static func accepted(_ policy: DPoPPolicy) -> DPoPUse {
        DPoPUse(isAccepted: true, isRequired: false, policy: policy)
    }

    /// Bound tokens only are accepted.
    public static func required(_ policy: DPoPPolicy) -> DPoPUse {
        DPoPUse(isAccepted: true, isRequired: true, policy: policy)
    }
}

/// A token that its issuer has spoken against, and how long that may be believed.
struct RejectedToken: Sendable {
    let reason: RefusalReason
    /// When the issuer was asked, or a little before.
    let askedAt: MonotonicInstant
    let until: MonotonicInstant
    /// What was said of it the first time, if anybody wanted to know.
    let finding: RefusalFinding?
}
