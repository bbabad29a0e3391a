// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// Shares what authorization servers have said about tokens between resources and processes, and carries invalidations to all.
///
/// Stands behind what each resource remembers by itself, which is asked first and without waiting. A cache that can't be reached is
/// no fault of the token: then the authorization server is asked. What it holds are claims of tokens, never tokens: their hashes.
///
/// RFC 7662 §4.
public protocol IntrospectionCache: Sendable {
    /// What is remembered of a token.
    ///
    /// May wait, but not for long: the request waits with it.
    func recall(_ key: IntrospectionKey) async -> IntrospectionReading

    /// Remembers an answer, unless the token, its subject or everything was invalidated since the reading.
    ///
    /// Whose a token is that is not active nobody knows: any invalidation counts. May be late, and may be lost.
    func remember(_ answer: IntrospectedAnswer, for key: IntrospectionKey, since ticket: UInt64) async

    /// Forgets what is remembered, here and wherever the same cache is used, and tells all observers.
    ///
    /// - Throws: ``IntrospectionCacheUnavailable`` if nobody else could be told.
    func invalidate(_ invalidation: TokenInvalidation) async throws(IntrospectionCacheUnavailable)

    /// Has a closure told of every invalidation from now on, by this process or another, until it answers that it wants no more.
    ///
    /// Where invalidations may have been missed, ``TokenInvalidation/all`` is told.
    func observe(_ observer: @escaping @Sendable (TokenInvalidation) -> Bool)
}

/// Which token at which authorization server, and who asked about it.
///
/// RFC 7662 §2.2: a server may answer each client differently, so an answer counts for those alone who would have asked the same way.
public struct IntrospectionKey: Sendable, Hashable {
    /// The issuer that was asked.
    public let issuer: String
    /// The 32 bytes of the token's SHA-256 hash.
    public let tokenHash: [UInt8]
    /// 32 bytes that stand for the endpoint, for the client that asks there, and for how its answers are protected.
    public let asker: [UInt8]

    /// Makes a key.
    public init(issuer: String, tokenHash: [UInt8], asker: [UInt8]) {
        self.issuer = issuer
        self.tokenHash = tokenHash
        self.asker = asker
    }
}

/// What an authorization server has said of a token: that it is active, with its claims, or that it is not.
public struct IntrospectedAnswer: Sendable {
    /// The members of the answer, `active` among them; of a token that is not active nothing else.
    ///
    /// RFC 7662 §2.2.
    public let members: JSONObject
    /// How long ago the server was asked, by a clock that is never set: the clocks of those who share an answer differ.
    public let age: Duration
    /// How long the answer counts from the question on; never past the token's `exp`.
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

/// What a cache knows of a token.
public enum IntrospectionReading: Sendable {
    /// This.
    case found(IntrospectedAnswer)
    /// Nothing; the ticket says up to which invalidation, for ``IntrospectionCache/remember(_:for:since:)``.
    case missing(ticket: UInt64)
    /// Nobody knows: the cache can't be reached.
    case unavailable
}

/// What is no longer to be believed.
public enum TokenInvalidation: Sendable, Hashable {
    /// One token, by the 32 bytes of its SHA-256 hash, for every client of the issuer.
    case token([UInt8], issuer: String)
    /// Every token of a subject, who is unique within the issuer.
    case subject(String, issuer: String)
    /// Everything.
    case all
}

/// An invalidation that reached nobody else.
public struct IntrospectionCacheUnavailable: Error, Sendable, Hashable {
    /// Makes the error.
    public init() {}
}
