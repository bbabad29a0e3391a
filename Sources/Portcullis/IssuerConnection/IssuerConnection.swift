// SPDX-License-Identifier: MIT

package import PortcullisJOSE
package import PortcullisTransport

/// The state of one trusted issuer: its keys and its introspection, separate from all other issuers'.
///
/// RFC 9728 §7.6, RFC 8725 §3.8.
package final class IssuerConnection: Sendable {
    package let issuer: String
    let keys: KeyStore?
    let introspector: IntrospectionClient?
    let activeLifetime: Duration?
    /// The algorithms of its tokens; `nil` for those of the resource.
    let algorithms: Set<SignatureAlgorithm>?
    /// The deviations from the usual claims; `nil` if there are none.
    let claimRules: ClaimRules?
    private let answerReports = ReportInterval()
    /// The issuer's metadata, loaded when needed.
    let metadata: Refresher<AuthorizationServerMetadata>
    /// Whether its keys are discovered from its metadata.
    package let usesDiscovery: Bool
    package let access: ServerAccess
    private let watch = AuthorizationServerWatch()
    /// The duration of its calls.
    let calls = CallMeter()
    /// The status lists of its JWTs; `nil` if it has no keys.
    let statusLists: IssuerStatusLists?
    /// The resources whose metadata lists this issuer.
    let advertised: AdvertisedResources
    /// The shared cache, and the hash of client and endpoint in its keys.
    let sharedAnswers: (cache: any IntrospectionCache, asker: [UInt8])?
    var sharedCache: (any IntrospectionCache)? { sharedAnswers?.cache }
    let onEvent: @Sendable (ResourceEvent) -> Void
    /// The location of the keys, if another connection may take them over.
    private let keyOrigin: String?

    /// - Parameters:
    ///   - shared: The keys of all tenants of a pattern, instead of the issuer's own.
    ///   - lists: The table of the lists of all tenants of a pattern, instead of the issuer's own.
    ///   - onAttempt: Called after each attempt to load missing keys, with `nil` if there are keys.
    init(
        _ trusted: TrustedIssuer, fetcher: any Fetcher, time: TimeSource, sharing shared: KeyStore? = nil,
        lists: StatusListCache? = nil,
        onEvent: @escaping @Sendable (ResourceEvent) -> Void,
        onAttempt: (@Sendable (AuthorizationServerFault?) -> Void)? = nil
    ) {
        let issuer = trusted.issuer
        algorithms = trusted.algorithms.map { Set($0) }
        let advertised = AdvertisedResources()
        self.issuer = issuer
        self.advertised = advertised
        let access = ServerAccess(
            fetcher: trusted.fetcher ?? fetcher, timeout: trusted.timeout,
            maxResponseByteCount: trusted.maxResponseByteCount,
            allowsInsecureLoopback: trusted.allowsInsecureLoopback, addresses: trusted.addressRule)
        self.access = access
        let watch = watch
        let needs = trusted.metadataNeeds
        let calls = calls
        let metadata = Refresher<AuthorizationServerMetadata>(
            timing: .init(
                freshness: trusted.keyFreshness, staleness: trusted.keyStaleness,
                cooldown: trusted.keyCooldown),
            uptime: time.uptime,
            reporting: { onEvent(.refreshFailed(issuer: issuer, fault: $0)) },
            announcing: { value in
                onEvent(.metadataChanged(issuer: issuer))
                let changes = watch.changes(in: value.members)
                if !changes.isEmpty {
                    onEvent(.authorizationServerChanged(issuer: issuer, members: changes))
                }
                if !value.lists(trusted.introspection?.authentication) {
                    onEvent(.authenticationMethodNotListed(issuer: issuer))
                }
                if !value.listsAlgorithm(of: trusted.introspection?.authentication) {
                    onEvent(.assertionAlgorithmNotListed(issuer: issuer))
                }
                advertised.differences(from: value, issuer: issuer).forEach(onEvent)
            },
            load: { () async throws(AuthorizationServerFault) in
                try await AuthorizationServerMetadata.discover(
                    issuer, needing: needs, through: access.measured(by: calls, as: .metadata),
                    uptime: time.uptime)
            })
        self.metadata = metadata
        if case .discovered? = trusted.keys { usesDiscovery = true } else { usesDiscovery = false }
        let keyAccess = access.measured(by: calls, as: .keys)
        let keys = trusted.keys.map {
            if let shared { return shared }
            return switch $0 {
            case .fixed(let set): KeyStore(fixed: set)
            case .remote(let url):
                KeyStore(trusted, access: keyAccess, metadata: nil, url: url, time: time, onEvent: onEvent)
            case .discovered:
                KeyStore(
                    trusted, access: keyAccess, metadata: metadata, url: nil, time: time, onEvent: onEvent,
                    onAttempt: onAttempt)
            }
        }
        self.keys = keys
        let listAccess = trusted.accessToStatusLists(fetcher: trusted.fetcher ?? fetcher)
        statusLists = keys.map {
            IssuerStatusLists(
                trusted, lists: lists ?? StatusListCache(trusted.statusLists, uptime: time.uptime), keys: $0,
                access: listAccess.measured(by: calls, as: .statusList), time: time, onEvent: onEvent)
        }
        // Keys from another location, or fetched with other trust roots, must not be taken over.
        switch trusted.keys {
        case .discovered where trusted.fetcher == nil: keyOrigin = "discovered"
        case .remote(let url) where trusted.fetcher == nil: keyOrigin = url
        default: keyOrigin = nil
        }
        activeLifetime = trusted.introspection?.activeLifetime
        claimRules = ClaimRules(
            trusted.claims, requiring: trusted.requiredClaimValues, audienceFrom: trusted.audienceSource)
        sharedAnswers = trusted.introspection.flatMap { introspection in
            introspection.sharedCache.map { ($0, trusted.asker(introspection)) }
        }
        self.onEvent = onEvent
        introspector = trusted.introspection.map {
            IntrospectionClient(
                IntrospectionEndpoint(
                    $0, issuer: issuer, access: access.measured(by: calls, as: .introspection),
                    metadata: metadata, keys: keys, time: time),
                maxConcurrentCallCount: $0.maxConcurrentCallCount, uptime: time.uptime,
                reporting: { onEvent(ResourceEvent($0, issuer: issuer)) })
        }
    }
}

extension ResourceEvent {
    fileprivate init(_ incident: IntrospectionClient.Incident, issuer: String) {
        switch incident {
        case .failed(let fault): self = .introspectionFailed(issuer: issuer, fault: fault)
        case .suspended(let pause): self = .introspectionSuspended(issuer: issuer, pause: pause)
        case .resumed: self = .introspectionResumed(issuer: issuer)
        }
    }
}

extension TrustedIssuer {
    /// The URLs that the operator chose are trusted more than those that metadata names.
    fileprivate var addressRule: AddressRule {
        var urls = [introspection?.endpoint].compactMap(\.self)
        if case .remote(let url)? = keys { urls.append(url) }
        return AddressRule(privateAddresses, issuer: issuer, configuredURLs: urls)
    }

    fileprivate func accessToStatusLists(fetcher: any Fetcher) -> ServerAccess {
        var addresses = addressRule
        addresses.configuredOrigins = statusLists.additionalOrigins.compactMap { try? HTTPURL($0) }
        return ServerAccess(
            fetcher: fetcher, timeout: timeout, maxResponseByteCount: statusLists.maxResponseByteCount,
            allowsInsecureLoopback: allowsInsecureLoopback, addresses: addresses)
    }

    /// The members of the metadata without which tokens can't be checked.
    fileprivate var metadataNeeds: AuthorizationServerMetadata.Needs {
        var needs: AuthorizationServerMetadata.Needs = []
        if case .discovered? = keys { needs.insert(.keys) }
        if let introspection, introspection.endpoint == nil { needs.insert(.introspection) }
        return needs
    }
}

extension AuthorizationServerMetadata {
    /// Whether the document lists an authentication method, or no methods at all.
    fileprivate func lists(_ authentication: ClientAuthentication?) -> Bool {
        guard let introspectionMethods, let names = authentication?.registeredNames, !names.isEmpty else {
            return true
        }
        return introspectionMethods.contains { listed in
            names.contains { $0.utf8.elementsEqual(listed.utf8) }
        }
    }
}

extension AuthorizationServerMetadata {
    /// Whether the document lists the algorithm of client assertions, or no algorithms at all.
    fileprivate func listsAlgorithm(of authentication: ClientAuthentication?) -> Bool {
        guard let listed = introspectionSigningAlgorithms,
            let algorithm = authentication?.assertionAlgorithm(among: listed)
        else { return true }
        return listed.contains(algorithm.rawValue)
    }
}

extension IssuerConnection {
    /// Whether JWTs can be verified now: the issuer's keys are at hand or can be fetched, or it has none.
    ///
    /// May wait for a fetch.
    package func canVerifyTokens(at now: MonotonicInstant) async -> Bool {
        guard let keys else { return true }
        return await keys.reading(at: now) != nil
    }

    /// Why the last attempt to fetch keys failed, or `nil` if it did not.
    package var keyFault: AuthorizationServerFault? {
        get async { await keys?.lastFault }
    }

    /// Asks the introspection endpoint about a token that does not exist; `nil` if it answers, or if there
    /// is no introspection.
    ///
    /// Waits for the answer.
    package func introspectionFault() async -> AuthorizationServerFault? {
        do throws(AuthorizationServerFault) {
            try await introspector?.probe()
            return nil
        } catch {
            return error
        }
    }

    /// Starts fetching the status lists that the issuer lists in its metadata.
    func prefetchStatusLists() {
        if usesDiscovery { statusLists?.prefetch(from: metadata) }
    }

    /// Reports how a document of the issuer's metadata differs from the last one.
    package func reportChanges(in document: JSONObject) {
        let changes = watch.changes(in: document)
        if !changes.isEmpty { onEvent(.authorizationServerChanged(issuer: issuer, members: changes)) }
    }

    /// Reports an introspection answer that can't be used, at most once a minute.
    func reportUnusableAnswer(_ fault: ClaimFault, at now: MonotonicInstant) {
        guard answerReports.isDue(at: now) else { return }
        onEvent(.unusableIntrospectionAnswer(issuer: issuer, member: fault.name, found: fault.found))
    }

    /// Takes over the state of an earlier connection to the issuer, unless this one has loaded keys itself.
    func inheritState(from other: IssuerConnection) {
        guard other !== self, keys?.publication.generation ?? 0 == 0 else { return }
        inherit(from: other)
    }

    /// Takes over the keys of an earlier connection to the same issuer, if they come from the same location, and the
    /// status lists that they verified.
    func inherit(from other: IssuerConnection) {
        watch.inherit(from: other.watch)
        guard let keyOrigin, let otherOrigin = other.keyOrigin,
            keyOrigin.utf8.elementsEqual(otherOrigin.utf8),
            let keys, let otherKeys = other.keys
        else { return }
        keys.inherit(from: otherKeys)
        if let statusLists, let otherLists = other.statusLists { statusLists.inherit(from: otherLists) }
    }
}
