// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport
import Synchronization

/// The keys of one issuer.
///
/// RFC 7517 §5, RFC 8725 §3.8.
final class KeyStore: Sendable {
    /// The published keys, read on every request.
    let publication: Publication<JWKSet>
    /// `nil` for fixed keys.
    private let refresher: Refresher<JWKSet>?
    private let waiting = Mutex(Waiting())
    /// Called after each attempt to load missing keys, before those who wait: with `nil` if there are keys.
    private let onAttempt: (@Sendable (AuthorizationServerFault?) -> Void)?

    init(fixed keys: JWKSet) {
        // An empty set is not the tokens' fault: 503, as if the keys were unreachable.
        publication = keys.keys.isEmpty ? Publication() : Publication(fixed: keys)
        refresher = nil
        onAttempt = nil
    }

    init(
        _ issuer: TrustedIssuer, access: ServerAccess, metadata: Refresher<AuthorizationServerMetadata>?,
        url: String?,
        time: TimeSource, onEvent: @escaping @Sendable (ResourceEvent) -> Void,
        onAttempt: (@Sendable (AuthorizationServerFault?) -> Void)? = nil
    ) {
        self.onAttempt = onAttempt
        let name = issuer.issuer
        let refresher = Refresher<JWKSet>(
            timing: .init(
                freshness: issuer.keyFreshness, staleness: issuer.keyStaleness, cooldown: issuer.keyCooldown),
            uptime: time.uptime,
            reporting: { onEvent(.refreshFailed(issuer: name, fault: $0)) },
            announcing: { onEvent(.keysChanged(issuer: name, keyCount: $0.keys.count)) },
            load: { () async throws(AuthorizationServerFault) in
                let location = try await Self.location(url, metadata)
                return try await Self.load(location, access, issuer: name, onEvent)
            })
        self.refresher = refresher
        publication = refresher.publication
    }

    private static func location(
        _ configured: String?, _ metadata: Refresher<AuthorizationServerMetadata>?
    ) async throws(AuthorizationServerFault) -> String {
        if let configured { return configured }
        guard let metadata else { throw .missingMember("jwks_uri") }
        guard let reading = await metadata.freshReading() else {
            throw await metadata.lastFault ?? .missingMember("jwks_uri")
        }
        guard let discovered = reading.value.jwksURI else { throw reading.value.lacking("jwks_uri") }
        return discovered
    }

    private static func load(
        _ url: String, _ access: ServerAccess, issuer: String, _ onEvent: @Sendable (ResourceEvent) -> Void
    ) async throws(AuthorizationServerFault) -> Refresher<JWKSet>.Loaded {
        let types = "application/json, application/jwk-set+json"
        let (keys, body) = try await access.document(url, accepting: types) {
            (body) throws(AuthorizationServerFault) in
            do throws(JOSEError) {
                return (try JWKSet(parsing: body), body)
            } catch {
                throw error == .malformedKeySet ? .missingMember("keys") : .unparsable(body, error)
            }
        }
        reportFaults(of: keys, issuer: issuer, onEvent)
        // A set without usable keys would reject all tokens; it counts as a fault, and the last valid set
        // stays.
        guard !keys.keys.isEmpty else { throw AuthorizationServerFault.emptyKeySet.whenCalling(url) }
        return .init(value: keys, fingerprint: Digest.sha256(body).bytes)
    }

    /// The maximum number of faulty keys reported per set.
    private static let maximumReportedKeyCount = 8

    /// Reports faults that the issuer's operator should repair.
    private static func reportFaults(
        of keys: JWKSet, issuer: String, _ onEvent: @Sendable (ResourceEvent) -> Void
    ) {
        if !keys.indicesWithPrivateMembers.isEmpty { onEvent(.privateKeysPublished(issuer: issuer)) }
        // Unsupported key types are not a mistake and are ignored. RFC 7517 §5.
        let faulty = keys.skipped.lazy
            .filter { $0.reason != .unsupportedKeyType && $0.reason != .unsupportedCurve }
        for key in faulty.prefix(maximumReportedKeyCount) {
            onEvent(.keySkipped(issuer: issuer, index: key.index, reason: key.reason))
        }
    }

    /// Takes over the keys of another store of the same issuer, until its own are fetched.
    func inherit(from other: KeyStore) {
        guard refresher != nil, other.refresher != nil else { return }
        publication.inherit(from: other.publication)
    }

    /// Why the last attempt to fetch keys failed, or `nil` if it did not.
    var lastFault: AuthorizationServerFault? {
        get async { await refresher?.lastFault }
    }

    /// Starts a refresh in the background if it is due.
    func refreshInBackground(at now: MonotonicInstant) {
        refresher?.refreshInBackground(at: now)
    }

    /// Returns the keys, after loading them if there are none usable.
    func reading(at now: MonotonicInstant) async -> Publication<JWKSet>.Reading? {
        if let reading = publication.reading(at: now) {
            refreshInBackground(at: now)
            return reading
        }
        return await refresher?.reading()
    }

    /// The result of a search for a key.
    enum Search: Sendable {
        case found(JWK, generation: UInt64)
        /// Several keys fit, and each is tried; incomplete if even more fit.
        case several([JWK], isComplete: Bool, generation: UInt64)
        /// Keys must be fetched first.
        case lacking(KeyQuestion.Lack)
    }

    /// Returns the key that verifies a token, among the loaded ones.
    ///
    /// Only an unknown `kid`, or a `kid` whose keys have changed their type, causes a fetch, at most once per
    /// cool-down.
    ///
    /// - Parameters:
    ///   - asked: The fetch that this search already requested.
    ///   - outcome: The outcome of that fetch.
    /// - Throws: `unknownKey`, `keysUnavailable` if no further fetch could change that.
    ///
    /// RFC 7515 §4.1.4, RFC 7517 §4.5.
    func key(
        _ keyID: String?, _ algorithm: SignatureAlgorithm, at now: MonotonicInstant,
        after asked: KeyQuestion.Lack? = nil, _ outcome: KeyQuestion.Outcome? = nil
    ) throws(RefusalReason) -> Search {
        guard let reading = publication.reading(at: now) else {
            guard refresher != nil, asked == nil else { throw .keysUnavailable }
            return .lacking(.keys)
        }
        refreshInBackground(at: now)
        let selection = reading.value.selectKey(keyID: keyID, algorithm: algorithm)
        let isKnown: Bool
        switch selection {
        case .found(let key): return .found(key, generation: reading.generation)
        case .several(let keys, let isComplete):
            return .several(keys, isComplete: isComplete, generation: reading.generation)
        case .unknownKeyID: isKnown = false
        case .noCandidate: isKnown = keyID != nil
        }
        guard refresher != nil, !isKnown || asked != nil || publication.isRenewable(at: now) else {
            throw .unknownKey
        }
        guard case .newerKeys? = asked else { return .lacking(.newerKeys(than: reading.generation)) }
        // While the issuer is unreachable it is unknown whether the key exists.
        if case .failed? = outcome, !isKnown { throw .keysUnavailable }
        throw .unknownKey
    }

    /// Returns the fetch after which a token may be checked again whose signature did not verify, or `nil`.
    ///
    /// Some servers replace a key and keep its `kid`. By OpenID Connect Core 1.0 §10.1.1 only an unfamiliar
    /// `kid` makes a verifier fetch keys; this deviates from it, at the price of one fetch per cool-down that
    /// forged tokens can cause too. The cool-down is that of unknown `kid`s. RFC 7517 §4.5.
    func renewal(since generation: UInt64, at now: MonotonicInstant) -> KeyQuestion.Lack? {
        guard refresher != nil, publication.isRenewable(at: now) || publication.generation != generation
        else {
            return nil
        }
        return .newerKeys(than: generation)
    }

    /// Requests that wait for keys; one task fetches for all of them.
    private struct Waiting: Sendable {
        var isFetching = false
        var requests: [(lack: KeyQuestion.Lack, finish: @Sendable (KeyQuestion.Outcome) -> Void)] = []
    }

    /// Fetches keys, and calls a closure once, on any thread.
    func obtain(
        _ lack: KeyQuestion.Lack, then finish: @escaping @Sendable (KeyQuestion.Outcome) -> Void
    ) {
        guard refresher != nil else { return finish(.failed) }
        let begins = waiting.withLock { waiting in
            waiting.requests.append((lack, finish))
            defer { waiting.isFetching = true }
            return !waiting.isFetching
        }
        if begins { Task { await fetchForAll() } }
    }

    private func fetchForAll() async {
        while true {
            let requests = waiting.withLock { waiting in
                defer { waiting.requests = [] }
                if waiting.requests.isEmpty { waiting.isFetching = false }
                return waiting.requests
            }
            guard !requests.isEmpty else { return }
            var outcomes: [KeyQuestion.Lack: KeyQuestion.Outcome] = [:]
            for (lack, finish) in requests {
                let outcome: KeyQuestion.Outcome
                if let known = outcomes[lack] { outcome = known } else { outcome = await fetch(lack) }
                outcomes[lack] = outcome
                finish(outcome)
            }
        }
    }

    private func fetch(_ lack: KeyQuestion.Lack) async -> KeyQuestion.Outcome {
        switch lack {
        case .keys:
            let isLoaded = await refresher?.reading() != nil
            if let onAttempt { onAttempt(isLoaded ? nil : await refresher?.lastFault ?? .emptyKeySet) }
            return isLoaded ? .asked : .failed
        case .newerKeys(let generation):
            if case .current? = await refresher?.renew(after: generation) { return .asked }
            return .failed
        }
    }
}
