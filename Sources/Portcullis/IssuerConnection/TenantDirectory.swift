// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport
import Synchronization

/// The tenants of one issuer pattern: those whose keys are known, and those that were looked for lately.
///
/// The value in a token is a client's text until its tenant's discovery has succeeded. So every table here is
/// bounded, and so are the fetches that tokens can cause.
///
/// RFC 8725 §3.8, RFC 8414 §3.3.
final class TenantDirectory: Sendable {
    /// How many unknown tenants are looked for in a minute.
    static let maximumAttemptCount = 10
    static let attemptPeriod = Duration.seconds(60)
    /// How many failures are remembered, each for the cool-down.
    static let maximumFailureCount = 1024

    /// The result of looking a tenant up.
    enum Lookup: Sendable {
        case known(IssuerConnection)
        /// The keys of this connection must be asked for; then the tenant is looked up again.
        case unknown(IssuerConnection)
        case refused(RefusalReason)
    }

    private struct State {
        var known: [String: IssuerConnection] = [:]
        var pending: [String: IssuerConnection] = [:]
        var failures: [String: (reason: RefusalReason, until: MonotonicInstant)] = [:]
        /// The times of the attempts of the last minute.
        var attempts: [MonotonicInstant] = []
    }

    let pattern: IssuerPattern
    private let trusted: TrustedIssuer
    /// The accepted tenants; `nil` for any.
    private let listed: Set<String>?
    private let fetcher: any Fetcher
    private let time: TimeSource
    private let onEvent: @Sendable (ResourceEvent) -> Void
    /// The keys of all tenants, if they are configured.
    private let sharedKeys: KeyStore?
    /// The status lists of all tenants.
    private let lists: StatusListCache
    private let state = Mutex(State())
    private let reports = ReportInterval()

    /// The algorithms of the tenants' tokens; `nil` for those of the resource.
    var algorithms: [SignatureAlgorithm]? { trusted.algorithms }
    /// Where the tenants' tokens have the client identifier and the scopes.
    var claims: ClaimMapping { trusted.claims }

    init(
        _ pattern: IssuerPattern, _ trusted: TrustedIssuer, fetcher: any Fetcher, time: TimeSource,
        onEvent: @escaping @Sendable (ResourceEvent) -> Void
    ) {
        self.pattern = pattern
        self.trusted = trusted
        listed = trusted.tenants.map { Set($0) }
        lists = StatusListCache(trusted.statusLists, uptime: time.uptime)
        self.fetcher = fetcher
        self.time = time
        self.onEvent = onEvent
        if case .discovered? = trusted.keys {
            sharedKeys = nil
        } else {
            // The connection of no tenant, for its keys.
            sharedKeys = IssuerConnection(trusted, fetcher: fetcher, time: time, onEvent: onEvent).keys
        }
    }

    /// Starts loading keys that all tenants share.
    func refreshInBackground(at now: MonotonicInstant) {
        sharedKeys?.refreshInBackground(at: now)
    }

    /// Whether there are usable keys, or none are needed before a token arrives.
    func isReady(at now: MonotonicInstant) -> Bool {
        sharedKeys?.publication.isUsable(at: now) ?? true
    }

    /// Looks the tenant of an issuer up; `nil` if the issuer does not match the pattern.
    ///
    /// - Parameter begins: Whether an unknown tenant may be looked for.
    func look(up issuer: String, at now: MonotonicInstant, begins: Bool = true) -> Lookup? {
        guard let value = pattern.value(in: issuer) else { return nil }
        guard listed?.contains(value) ?? true else { return .refused(.unknownIssuer) }
        if let sharedKeys {
            return .known(
                IssuerConnection(
                    trusted.tenant(value, of: pattern), fetcher: fetcher, time: time, sharing: sharedKeys,
                    lists: lists, onEvent: onEvent))
        }
        let lookup = state.withLock { state -> Lookup? in
            if let known = state.known[value] { return .known(known) }
            if let failure = state.failures[value], now < failure.until { return .refused(failure.reason) }
            if let pending = state.pending[value] { return .unknown(pending) }
            guard begins, mayAttempt(&state, at: now) else { return nil }
            let connection = makeConnection(to: value)
            state.pending[value] = connection
            return .unknown(connection)
        }
        if let lookup { return lookup }
        if begins, reports.isDue(at: now) { onEvent(.tenantsRefused(issuer: pattern.text)) }
        return .refused(.keysUnavailable)
    }

    private func mayAttempt(_ state: inout State, at now: MonotonicInstant) -> Bool {
        guard state.known.count < trusted.maxTenantCount else { return false }
        // A listed tenant is no stranger.
        guard listed == nil else { return true }
        state.attempts.removeAll { now - $0 >= Self.attemptPeriod }
        guard state.attempts.count < Self.maximumAttemptCount else { return false }
        state.attempts.append(now)
        return true
    }

    private func makeConnection(to value: String) -> IssuerConnection {
        IssuerConnection(
            trusted.tenant(value, of: pattern), fetcher: fetcher, time: time, lists: lists, onEvent: onEvent,
            onAttempt: { [weak self] in self?.settle(value, $0) })
    }

    /// Gives a tenant its place after a successful attempt, and remembers a failed one for the cool-down.
    private func settle(_ value: String, _ fault: AuthorizationServerFault?) {
        let now = time.uptime()
        state.withLock { state in
            guard let connection = state.pending.removeValue(forKey: value) else { return }
            if fault == nil, state.known.count < trusted.maxTenantCount {
                state.known[value] = connection
                return
            }
            state.failures = state.failures.filter { now < $0.value.until }
            if state.failures.count >= Self.maximumFailureCount,
                let first = state.failures.min(by: { $0.value.until < $1.value.until })
            {
                state.failures[first.key] = nil
            }
            // A tenant that the server denies is an unknown issuer, unless the operator has listed it.
            let isDenied = listed == nil && fault?.deniesIssuer == true
            state.failures[value] = (
                isDenied ? .unknownIssuer : .keysUnavailable, now + trusted.keyCooldown
            )
        }
    }

    /// Takes over the tenants of an earlier directory of the same pattern, with their keys.
    func inheritState(from other: TenantDirectory) {
        guard other !== self else { return }
        if let sharedKeys, let others = other.sharedKeys {
            // Keys from another location must not be taken over.
            guard case .remote(let url)? = trusted.keys, case .remote(let earlier)? = other.trusted.keys,
                url.utf8.elementsEqual(earlier.utf8), trusted.fetcher == nil, other.trusted.fetcher == nil
            else { return }
            return sharedKeys.inherit(from: others)
        }
        guard sharedKeys == nil, other.sharedKeys == nil else { return }
        let earlier = other.state.withLock { $0.known }
        state.withLock { state in
            for (value, connection) in earlier.sorted(by: { $0.key < $1.key })
            where state.known[value] == nil && state.known.count < trusted.maxTenantCount
                && listed?.contains(value) ?? true
            {
                let made = makeConnection(to: value)
                made.inherit(from: connection)
                state.known[value] = made
            }
        }
    }
}
