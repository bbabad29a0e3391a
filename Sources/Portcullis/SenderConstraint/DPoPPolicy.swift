// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// The rules of a resource for DPoP proofs.
///
/// The metadata decides whether it accepts DPoP: ``ProtectedResourceMetadata/dpopSigningAlgorithmsSupported``
/// and ``ProtectedResourceMetadata/dpopBoundAccessTokensRequired``.
///
/// RFC 9449 §4.3, §9, §11.1.
public struct DPoPPolicy: Sendable {
    /// Whether proofs must contain a nonce of this resource.
    ///
    /// RFC 9449 §9.
    public enum NonceUse: String, Sendable, Hashable, CaseIterable {
        /// Nonces are not required.
        case off
        /// A proof without a recent nonce is refused, and the answer carries one.
        case required
    }

    /// Whether proofs must contain a nonce.
    ///
    /// Default off.
    public var nonce = NonceUse.off
    /// How long a nonce is issued; it is accepted for the same time again.
    ///
    /// Default 300 seconds; from 1 second to a day.
    public var nonceLifetime: Duration = .seconds(300)
    /// The keys that seal nonces: the first key issues nonces; all keys are accepted.
    ///
    /// Default none: a random key is made at start and replaced each day. Processes with the same keys accept
    /// each other's nonces.
    public var nonceKeys: [NonceKey] = []
    /// The maximum age of a proof, by its `iat`.
    ///
    /// Default 60 seconds, or 300 under ``ResourceProfile/mcp(allowedOrigins:)``; from 1 second to an hour. Not
    /// compared where a nonce dates the proof.
    public var proofMaxAge: Duration {
        get { chosenProofMaxAge ?? .seconds(60) }
        set { chosenProofMaxAge = newValue }
    }
    /// The maximum time by which the `iat` of a proof may lie in the future.
    ///
    /// Default 5 seconds, or 300 under ``ResourceProfile/mcp(allowedOrigins:)``; from 0 to 300. Not compared
    /// where a nonce dates the proof.
    public var proofMaxFuture: Duration {
        get { chosenProofMaxFuture ?? .seconds(5) }
        set { chosenProofMaxFuture = newValue }
    }
    /// The maximum number of proofs remembered, unless ``replayStore`` is set.
    ///
    /// Default 1,000,000. Proofs are remembered for ``proofMaxAge``; further ones are answered with 503.
    public var replayCacheEntryCount = 1_000_000
    /// The store of accepted proofs; `nil` for the memory of this process.
    public var replayStore: (any ReplayStore)?

    /// Whether a proof whose `htu` has a query or a fragment is refused; otherwise these are ignored.
    ///
    /// Default `false`, since clients send them although RFC 9449 §4.2 excludes them.
    public var refusesQueryInTarget = false
    /// Whether a proof sent with an unbound `Bearer` token makes the request malformed.
    ///
    /// Default `false`: the proof is ignored. RFC 9449 leaves this open.
    public var refusesStrayProofs = false

    /// The source of nonces, for tests with published ones; `nil` to seal them.
    package var nonceSource: (any NonceSource)?

    /// The windows that the app set; `nil` for those of the profile.
    private var chosenProofMaxAge: Duration?
    private var chosenProofMaxFuture: Duration?

    /// Makes a policy with all defaults.
    public init() {}

    /// Returns the policy with another window where the app set none.
    func completed(withWindow window: Duration) -> DPoPPolicy {
        var policy = self
        policy.chosenProofMaxAge = chosenProofMaxAge ?? window
        policy.chosenProofMaxFuture = chosenProofMaxFuture ?? window
        return policy
    }

    /// The window for `iat` of proofs under the profile of MCP, before and after the present.
    ///
    /// The clocks of clients on desktops differ by minutes. MCP, SEP-1932.
    static let windowOfMCP = Duration.seconds(300)

    /// The signature algorithms for proofs, if the resource accepts DPoP without listing any.
    static let allAlgorithms = SignatureAlgorithm.allCases

    func problems(at path: String) -> [ConfigurationError.Problem] {
        var problems: [ConfigurationError.Problem] = []
        func check(_ holds: Bool, _ name: String, _ message: String) {
            if !holds { problems.append(.init(path: "\(path).\(name)", message)) }
        }
        check(
            (.seconds(1) ... .seconds(86_400)).contains(nonceLifetime), "nonce_lifetime_seconds",
            "The lifetime of a nonce must be from 1 second to a day.")
        check(
            (.seconds(1) ... .seconds(3600)).contains(proofMaxAge), "proof_max_age_seconds",
            "The maximum age of a proof must be from 1 second to an hour.")
        check(
            (.zero ... .seconds(300)).contains(proofMaxFuture), "proof_max_future_seconds",
            "The maximum time in the future must be from 0 to 300 seconds.")
        check(
            ReplayTable.capacities.contains(replayCacheEntryCount), "replay_cache_entries",
            "The value must be from 1 to 100000000 entries.")
        return problems
    }
}

/// A secret key that seals nonces.
///
/// Redacts itself when printed.
///
/// RFC 9449 §8.
public struct NonceKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let key: SealingKey

    /// Makes a key from secret bytes.
    ///
    /// - Throws: ``ConfigurationError`` if they are fewer than 32.
    public init(validating bytes: [UInt8]) throws(ConfigurationError) {
        guard let key = SealingKey(bytes) else {
            throw ConfigurationError("A nonce key must have 32 or more random bytes.")
        }
        self.key = key
    }

    /// A fixed text without any content.
    public var description: String { "NonceKey(redacted)" }
    /// A fixed text without any content.
    public var debugDescription: String { description }
    /// A fixed text without any content.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
