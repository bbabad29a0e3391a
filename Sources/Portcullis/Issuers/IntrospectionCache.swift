// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// Shares introspection answers between resources and processes, and distributes invalidations to all.
///
/// Asked after each resource's own cache, which answers without waiting. If the shared cache can't be
/// reached, the authorization server is asked. It contains claims of tokens under the tokens' hashes, never
/// the tokens themselves.
///
/// RFC 7662 §4.
public protocol IntrospectionCache: Sendable {
    /// Looks up the answer for a token.
    ///
    /// May wait, but only briefly, since the request waits too.
    func recall(_ key: IntrospectionKey) async -> IntrospectionReading

    /// Stores an answer, unless the token, its subject or everything was invalidated since the reading.
    ///
    /// The subject of an inactive token is unknown, so any invalidation counts. May be late, and may be lost.
    func remember(_ answer: IntrospectedAnswer, for key: IntrospectionKey, since ticket: UInt64) async

    /// Removes the matching answers, in every process that uses the cache, and notifies all observers.
    ///
    /// - Throws: ``IntrospectionCacheUnavailable`` if other processes could not be notified.
    func invalidate(_ invalidation: TokenInvalidation) async throws(IntrospectionCacheUnavailable)

    /// Calls a closure with every later invalidation, by this process or another, until it returns `false`.
    ///
    /// If invalidations may have been missed, it is called with ``TokenInvalidation/all``.
    func observe(_ observer: @escaping @Sendable (TokenInvalidation) -> Bool)
}

/// The key of an answer: the token, the authorization server, and the client that asked.
///
/// RFC 7662 §2.2: a server may answer each client differently, so an answer is valid only for the same client
/// and endpoint.
public struct IntrospectionKey: Sendable, Hashable {
    /// The issuer that was asked.
    public let issuer: String
    /// The 32 bytes of the token's SHA-256 hash.
    public let tokenHash: [UInt8]
    /// A 32-byte hash of the endpoint, the client that asks there, and the protection of its answers.
    public let asker: [UInt8]

    /// Makes a key.
    public init(issuer: String, tokenHash: [UInt8], asker: [UInt8]) {
        self.issuer = issuer
        self.tokenHash = tokenHash
        self.asker = asker
    }
}

/// The answer of an authorization server about a token: active with its claims, or inactive.
public struct IntrospectedAnswer: Sendable {
    /// The members of the answer, including `active`; nothing else for an inactive token.
    ///
    /// RFC 7662 §2.2.
    public let members: JSONObject
    /// The time since the server was asked, by a monotonic clock, since the clocks of processes differ.
    public let age: Duration
    /// How long the answer is valid after the question; never past the token's `exp`.
    public let lifetime: Duration

    /// Whether the token is active.
    public var isActive: Bool { members["active"]?.bool == true }

    /// Makes an answer.
    public init(members: JSONObject, age: Duration, lifetime: Duration) {
        self.members = members
        self.age = age
        self.lifetime = lifetime
    }
}

/// The result of a look-up in a cache.
public enum IntrospectionReading: Sendable {
    /// An answer.
    case found(IntrospectedAnswer)
    /// No answer; the ticket identifies the last invalidation, for
    /// ``IntrospectionCache/remember(_:for:since:)``.
    case missing(ticket: UInt64)
    /// The cache can't be reached.
    case unavailable
}

/// The answers that an invalidation removes.
public enum TokenInvalidation: Sendable, Hashable {
    /// One token, by the 32 bytes of its SHA-256 hash, for every client of the issuer.
    case token([UInt8], issuer: String)
    /// Every token of a subject, which is unique within the issuer.
    case subject(String, issuer: String)
    /// All answers.
    case all
}

/// An invalidation that reached no other process.
public struct IntrospectionCacheUnavailable: Error, Sendable, Hashable {
    /// Makes the error.
    public init() {}
}

extension IntrospectionCacheUnavailable: CustomStringConvertible {
    /// A phrase for a log.
    public var description: String { "the shared cache of introspection answers is not available" }
}
