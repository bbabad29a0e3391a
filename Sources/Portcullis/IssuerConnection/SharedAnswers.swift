// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport

/// What a cache that resources share knows of one token.
package struct SharedAnswers: Sendable {
    /// An answer that still counts, and until when it does.
    struct Recalled: Sendable {
        let answer: IntrospectionClient.Answer
        let until: MonotonicInstant
    }

    /// What the cache said.
    package struct Reading: Sendable {
        var recalled: Recalled?
        /// Leave to put an answer in; `nil` where there is one, and while the cache cannot be reached.
        var ticket: UInt64?
    }

    private let cache: any IntrospectionCache
    private let key: IntrospectionKey
    private let lifetime: Duration
    private let inactiveLifetime: Duration
    private let time: TimeSource

    /// Makes `nil` where no cache is shared, or every request asks the server.
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

    /// Looks the token up.
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

    /// Leaves an answer for others.
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
    /// Stands for what an introspection answer depends on besides the token: where it was asked for, by which client, and how it was
    /// protected on its way.
    ///
    /// A plain answer is none where signed ones are demanded, and what one client was told is not for another. RFC 7662 §2.2, RFC 9701 §5.
    func asker(_ introspection: Introspection) -> [UInt8] {
        var parts = introspection.authentication.identity
        parts.append(introspection.endpoint.map { [0x3D] + Array($0.utf8) } ?? [])
        parts.append(introspection.signedResponseAudience.map { [0x3D] + Array($0.utf8) } ?? [])
        parts.append([allowsInsecureLoopback ? 1 : 0])
        // Each with its length, so that no two lists read the same.
        return Digest.sha256(parts.flatMap { Array("\($0.count):".utf8) + $0 }).bytes
    }
}
