// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// What a resource demands of DPoP proofs.
///
/// Whether it takes DPoP at all is said by its metadata: ``ProtectedResourceMetadata/dpopSigningAlgorithmsSupported``
/// and ``ProtectedResourceMetadata/dpopBoundAccessTokensRequired``.
///
/// RFC 9449 §4.3, §9, §11.1.
public struct DPoPPolicy: Sendable {
    /// Whether proofs must hold a nonce of this resource.
    ///
    /// RFC 9449 §9.
    public enum NonceUse: String, Sendable, Hashable, CaseIterable {
        /// None is asked for.
        case off
        /// A proof without a nonce that was handed out lately is refused, and the client is given one.
        case required
    }

    /// Whether proofs must hold a nonce.
    ///
    /// Default off.
    public var nonce = NonceUse.off
    /// How long a nonce is handed out; it is taken for as long again.
    ///
    /// Default 300 seconds; from 1 second to a day.
    public var nonceLifetime: Duration = .seconds(300)
    /// The secrets that nonces are sealed with, the first one for new nonces, all of them for those that come back.
    ///
    /// Default none: one is made at start, and another one each day. Processes with the same keys take each other's nonces.
    public var nonceKeys: [NonceKey] = []
    /// How old a proof may be, by its `iat`.
    ///
    /// Default 60 seconds; from 1 second to an hour.
    public var proofMaxAge: Duration = .seconds(60)
    /// How far in the future the `iat` of a proof may lie.
    ///
    /// Default 5 seconds; from 0 to 300.
    public var proofMaxFuture: Duration = .seconds(5)
    /// How many proofs are remembered at most, if ``replayStore`` is not given.
    ///
    /// Default 1,000,000. Proofs are remembered for ``proofMaxAge``; more in that time are answered 503.
    public var replayCacheEntryCount = 1_000_000
    /// Where accepted proofs are remembered; nothing for the memory of this process.
    public var replayStore: (any ReplayStore)?

    /// Whether a proof is refused whose `htu` has a query or a fragment, which it is compared without.
    ///
    /// Default false, since clients send them although RFC 9449 §4.2 says without.
    public var refusesQueryInTarget = false
    /// Whether a proof beside a token that is bound to nothing, and came as `Bearer`, makes the request malformed.
    ///
    /// Default false: nobody looks at it. RFC 9449 says nothing of it.
    public var refusesStrayProofs = false

    /// Where nonces come from, for tests with published ones; nothing to seal them.
    package var nonceSource: (any NonceSource)?

    /// Makes a policy with all defaults.
    public init() {}

    /// The signature algorithms that proofs may use, if the resource takes DPoP and says no more about it.
    static let allAlgorithms = SignatureAlgorithm.allCases

    func problems(at path: String) -> [ConfigurationError.Problem] {
        var problems: [ConfigurationError.Problem] = []
        func check(_ holds: Bool, _ name: String, _ message: String) {
            if !holds { problems.append(.init(path: "\(path).\(name)", message)) }
        }
        check(
            (.seconds(1) ... .seconds(86_400)).contains(nonceLifetime), "nonce_lifetime_seconds",
            "The lifetime of a nonce is from 1 second to a day.")
        check(
            (.seconds(1) ... .seconds(3600)).contains(proofMaxAge), "proof_max_age_seconds",
            "The age of a proof is from 1 second to an hour.")
        check(
            (.zero ... .seconds(300)).contains(proofMaxFuture), "proof_max_future_seconds",
            "The clock of a client is ahead by 0 to 300 seconds.")
        check(
            ReplayTable.capacities.contains(replayCacheEntryCount), "replay_cache_entries",
            "This is from 1 to 100000000 entries.")
        return problems
    }
}

/// A secret that nonces are sealed with.
///
/// Redacts itself when printed.
///
/// RFC 9449 §8.
public struct NonceKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let key: SealingKey

    /// Takes secret bytes from elsewhere.
    ///
    /// - Throws: ``ConfigurationError`` if they are fewer than 32.
    public init(validating bytes: [UInt8]) throws(ConfigurationError) {
        guard let key = SealingKey(bytes) else {
            throw ConfigurationError("A key for nonces has 32 or more random bytes.")
        }
        self.key = key
    }

    /// Nothing of what it holds.
    public var description: String { "NonceKey(redacted)" }
    /// Nothing of what it holds.
    public var debugDescription: String { description }
    /// Nothing of what it holds.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
