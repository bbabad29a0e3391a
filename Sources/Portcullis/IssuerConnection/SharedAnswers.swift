// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport

/// Reads and writes the shared cache's entry for one token.
package struct SharedAnswers: Sendable {
    /// A valid answer, and its expiry.
    struct Recalled: Sendable {
        let answer: IntrospectionClient.Answer
        let until: MonotonicInstant
    }

    /// The result of a lookup.
    package struct Reading: Sendable {
        var recalled: Recalled?
        /// The ticket for storing an answer; `nil` if the cache has one or can't be reached.
        var ticket: UInt64?
    }

    private let cache: any IntrospectionCache
    private let key: IntrospectionKey
    private let lifetime: Duration
    private let inactiveLifetime: Duration
    private let time: TimeSource

    /// Returns `nil` if there is no shared cache, or answers are not cached.
    init?(
        _ connection: IssuerConnection, lifetime: Duration, inactiveLifetime: Duration, digest: SHA256Digest,
        time: TimeSource
    ) {
        guard let (cache, asker) = connection.sharedAnswers, max(lifetime, inactiveLifetime) > .zero else {
            return nil
        }
        self.cache = cache
        key = IntrospectionKey(issuer: connection.issuer, tokenHash: digest.bytes, asker: asker)
        self.lifetime = lifetime
        self.inactiveLifetime = inactiveLifetime
        self.time = time
    }

    /// Looks up the token.
    func recall() async -> Reading {
        let start = time.uptime()
        switch await cache.recall(key) {
        case .unavailable: return Reading()
        case .missing(let ticket): return Reading(ticket: ticket)
        case .found(let answer):
            let bound = answer.isActive ? lifetime : inactiveLifetime
            let left = min(bound, answer.lifetime) - max(answer.age, .zero)
            guard left > .zero else { return Reading() }
            let known: IntrospectionClient.Answer = answer.isActive ? .active(answer.members) : .inactive
            return Reading(recalled: Recalled(answer: known, until: start + left))
        }
    }

    /// Stores an answer for the processes that share the cache.
    func remember(
        _ answer: IntrospectionClient.Answer, askedAt moment: MonotonicInstant, since ticket: UInt64
    ) async {
        let age = time.uptime() - moment
        var left: Duration
        let members: JSONObject
        switch answer {
        case .inactive: (members, left) = (["active": false], inactiveLifetime)
        case .active(let active):
            (members, left) = (active, lifetime)
            if let expiry = active["exp"]?.number.flatMap({ NumericDate($0) }) {
                left = min(left, age + .seconds(min(max(expiry.seconds - time.now().seconds, 0), 1e9)))
            }
        }
        guard left > age else { return }
        await cache.remember(
            IntrospectedAnswer(members: members, age: age, lifetime: left), for: key, since: ticket)
    }
}

extension TrustedIssuer {
    /// Returns a hash of everything that an introspection answer depends on in the configuration.
    ///
    /// That is the endpoint, the client, the required signature and the permission of loopback URLs: an
    /// unsigned answer is invalid if a signed one is required, and an answer to one client is not valid for
    /// another. RFC 7662 §2.2, RFC 9701 §5.
    func asker(_ introspection: Introspection) -> [UInt8] {
        var parts = introspection.authentication.identity
        parts.append(introspection.endpoint.map { [0x3D] + Array($0.utf8) } ?? [])
        parts.append(introspection.signedResponseAudience.map { [0x3D] + Array($0.utf8) } ?? [])
        parts.append([allowsInsecureLoopback ? 1 : 0])
        // Each part is preceded by its length, so that different lists never have the same bytes.
        return Digest.sha256(parts.flatMap { Array("\($0.count):".utf8) + $0 }).bytes
    }
}
