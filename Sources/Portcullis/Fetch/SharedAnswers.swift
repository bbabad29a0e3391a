// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport

/// What is known of one token in the cache that resources share, during one request.
final class SharedAnswers {
    private let cache: any IntrospectionCache
    private let key: IntrospectionKey
    private let lifetime: Duration
    private let inactiveLifetime: Duration
    private let time: TimeSource
    /// Nothing while the cache can't be reached: then nothing is remembered there either.
    private var ticket: UInt64?

    /// Nothing where nothing is shared, or every request is to ask anew.
    init?(
        _ connection: IssuerConnection, lifetime: Duration, inactiveLifetime: Duration, digest: SHA256Digest,
        time: TimeSource
    ) {
        guard let cache = connection.sharedCache, max(lifetime, inactiveLifetime) > .zero else { return nil }
        self.cache = cache
        key = IntrospectionKey(issuer: connection.issuer, tokenHash: digest.bytes)
        self.lifetime = lifetime
        self.inactiveLifetime = inactiveLifetime
        self.time = time
    }

    /// An answer that still counts, and until when it does.
    func recall() async -> (answer: IntrospectionClient.Answer, until: MonotonicInstant)? {
        let start = time.uptime()
        switch await cache.recall(key) {
        case .unavailable: return nil
        case .missing(let ticket):
            self.ticket = ticket
            return nil
        case .found(let answer):
            // The clock of whoever has asked may be ahead of ours, which makes no answer younger than new.
            let age = max(0, time.now().seconds - answer.askedAt.seconds)
            let bound = answer.isActive ? lifetime : inactiveLifetime
            let left = min(bound, answer.lifetime) - .seconds(min(age, 1e9))
            guard left > .zero else { return nil }
            return (answer.isActive ? .active(answer.members) : .inactive, start + left)
        }
    }

    /// Leaves an answer for others.
    func remember(_ answer: IntrospectionClient.Answer, askedAt moment: NumericDate) async {
        guard let ticket else { return }
        var left: Duration
        let members: JSONObject
        switch answer {
        case .inactive: (members, left) = (["active": false], inactiveLifetime)
        case .active(let active):
            (members, left) = (active, lifetime)
            if let expiry = active["exp"]?.number.flatMap({ NumericDate($0) }) {
                left = min(left, .seconds(min(max(expiry.seconds - moment.seconds, 0), 1e9)))
            }
        }
        guard left > .zero else { return }
        await cache.remember(
            IntrospectedAnswer(members: members, askedAt: moment, lifetime: left), for: key, since: ticket)
    }
}
