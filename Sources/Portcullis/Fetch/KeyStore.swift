// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport

/// The keys of one issuer, and of no other.
///
/// RFC 7517 §5, RFC 8725 §3.8.
final class KeyStore: Sendable {
    /// What is read on every request.
    let publication: Publication<JWKSet>
    /// Nothing for fixed keys.
    private let refresher: Refresher<JWKSet>?

    init(fixed keys: JWKSet) {
        // Without a key nothing can be verified, which is no fault of the tokens: 503, as if the keys were out of reach.
        publication = keys.keys.isEmpty ? Publication() : Publication(fixed: keys)
        refresher = nil
    }

    init(
        _ issuer: TrustedIssuer, access: ServerAccess, metadata: Refresher<AuthorizationServerMetadata>?,
        url: String?,
        time: TimeSource, onEvent: @escaping @Sendable (ResourceEvent) -> Void
    ) {
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
        guard let metadata else { throw .missingMember }
        guard let reading = await metadata.freshReading() else {
            throw await metadata.lastFault ?? .missingMember
        }
        guard let discovered = reading.value.jwksURI else { throw .missingMember }
        return discovered
    }

    private static func load(
        _ url: String, _ access: ServerAccess, issuer: String, _ onEvent: @Sendable (ResourceEvent) -> Void
    ) async throws(AuthorizationServerFault) -> Refresher<JWKSet>.Loaded {
        let body = try await access.body(
            .get, url, fields: [.accept: "application/json, application/jwk-set+json"])
        let keys: JWKSet
        do throws(JOSEError) {
            keys = try JWKSet(parsing: body)
        } catch {
            throw .malformedDocument
        }
        tell(of: keys, issuer: issuer, onEvent)
        // A set without usable keys would lock everybody out; it is taken for a fault, and the last good set stays.
        guard !keys.keys.isEmpty else { throw .emptyKeySet }
        return .init(value: keys, fingerprint: Digest.sha256(body).bytes)
    }

    /// How many keys of a set are told to be faulty.
    private static let maximumSkippedKeysTold = 8

    /// Tells what the issuer's operator should mend.
    private static func tell(of keys: JWKSet, issuer: String, _ onEvent: @Sendable (ResourceEvent) -> Void) {
        if !keys.indicesWithPrivateMembers.isEmpty { onEvent(.privateKeysPublished(issuer: issuer)) }
        // Keys of other types are none of ours, and nobody's mistake. RFC 7517 §5.
        let faulty = keys.skipped.lazy
            .filter { $0.reason != .unsupportedKeyType && $0.reason != .unsupportedCurve }
        for key in faulty.prefix(maximumSkippedKeysTold) {
            onEvent(.keySkipped(issuer: issuer, index: key.index, reason: key.reason))
        }
    }

    /// Begins with the keys of another store of the same issuer, until its own have been fetched.
    func inherit(from other: KeyStore) {
        guard refresher != nil, other.refresher != nil else { return }
        publication.inherit(from: other.publication)
    }

    /// Starts loading or refreshing in the background if that is due.
    func refreshInBackground(at now: MonotonicInstant) {
        refresher?.refreshInBackground(at: now)
    }

    /// The keys, after waiting for them if there are none that can be used.
    func reading(at now: MonotonicInstant) async -> Publication<JWKSet>.Reading? {
        if let reading = publication.reading(at: now) {
            refreshInBackground(at: now)
            return reading
        }
        return await refresher?.reading()
    }

    /// The key that verifies a token.
    ///
    /// An unknown `kid` may cause one fetch per cool-down; nothing else does.
    ///
    /// - Throws: `unknownKey`, `ambiguousKey`, `keysUnavailable`.
    ///
    /// RFC 7515 §4.1.4, RFC 7517 §4.5.
    func key(
        _ keyID: String?, _ algorithm: SignatureAlgorithm, at now: MonotonicInstant
    ) async throws(RefusalReason) -> (key: JWK, generation: UInt64) {
        if let known = try keyAtHand(keyID, algorithm, at: now) { return known }
        guard let reading = await reading(at: now) else { throw .keysUnavailable }
        let selection = reading.value.selectKey(keyID: keyID, algorithm: algorithm)
        if case .found(let key) = selection { return (key, reading.generation) }
        guard Self.mayBeNew(selection, keyID), let refresher else { throw Self.reason(selection) }
        let renewal = await refresher.renew(after: reading.generation)
        guard let renewed = publication.reading(at: now) else { throw .keysUnavailable }
        let second = renewed.value.selectKey(keyID: keyID, algorithm: algorithm)
        if case .found(let key) = second { return (key, renewed.generation) }
        // Whether the key exists can't be told while the issuer can't be asked.
        if case .failed = renewal { throw .keysUnavailable }
        throw Self.reason(second)
    }

    /// The key that verifies a token, or nothing if that can't be told without waiting.
    ///
    /// - Throws: `unknownKey` and `ambiguousKey` where no fetch could change that.
    ///
    /// RFC 7515 §4.1.4, RFC 7517 §4.5.
    func keyAtHand(
        _ keyID: String?, _ algorithm: SignatureAlgorithm, at now: MonotonicInstant
    ) throws(RefusalReason) -> (key: JWK, generation: UInt64)? {
        guard let reading = publication.reading(at: now) else { return nil }
        refreshInBackground(at: now)
        let selection = reading.value.selectKey(keyID: keyID, algorithm: algorithm)
        if case .found(let key) = selection { return (key, reading.generation) }
        guard refresher != nil, Self.mayBeNew(selection, keyID) else { throw Self.reason(selection) }
        return nil
    }

    private static func mayBeNew(_ selection: KeySelection, _ keyID: String?) -> Bool {
        switch selection {
        case .unknownKeyID: true
        case .noCandidate: keyID == nil
        default: false
        }
    }

    private static func reason(_ selection: KeySelection) -> RefusalReason {
        if case .ambiguous = selection { .ambiguousKey } else { .unknownKey }
    }
}
