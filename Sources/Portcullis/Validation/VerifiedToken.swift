// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport
import Synchronization

/// A token that was found good, and how long that may be believed.
struct VerifiedToken: Sendable {
    let token: AccessToken
    let terms: Terms
    /// The keys that it was verified with; nothing if it was introspected.
    let keys: KeyStore?

    /// The terms that it may be used on.
    struct Terms: Sendable {
        /// In seconds of the day: `nbf` and `exp`, leeway included.
        let start: Double
        let end: Double
        let generation: UInt64
        /// Until when an introspection answer counts.
        let usableUntil: MonotonicInstant

        /// Whether the token's times and the age of the answer allow its use.
        @inline(__always)
        func hold(at now: NumericDate, uptime: MonotonicInstant) -> Bool {
            now.seconds < end && now.seconds >= start && uptime < usableUntil
        }
    }

    /// Whether the keys are those that a token was verified with, and may still be used.
    ///
    /// Refreshes keys past their freshness in the background. Keys past their stale limit, or replaced by other
    /// keys, make the verdict void: a hot token must not outlive a withdrawn key.
    @inline(__always)
    static func areCurrent(_ keys: KeyStore?, _ terms: Terms, _ uptime: MonotonicInstant) -> Bool {
        guard let keys else { return true }
        let publication = keys.publication
        guard publication.generation == terms.generation, publication.isUsable(at: uptime) else {
            return false
        }
        if !publication.isFresh(at: uptime) { keys.refreshInBackground(at: uptime) }
        return true
    }
}

extension TokenTable where Entry == VerifiedToken {
    /// What is known of a token.
    enum Knowledge: Sendable {
        case unknown
        case outdated
        case usable(AccessToken)
    }

    /// Looks a token up without copying its entry.
    func look(_ digest: SHA256Digest, at now: NumericDate, uptime: MonotonicInstant) -> Knowledge {
        guard parts.isEmpty else { return part(of: digest).look(digest, at: now, uptime: uptime) }
        return state.withLock { state in
            guard let place = state.place(of: digest) else { return .unknown }
            if !state.slots[place].wasUsed { state.slots[place].wasUsed = true }
            // By a pointer, since the array's subscript copies all of the entry.
            return state.slots.withUnsafeBufferPointer { slots -> Knowledge in
                guard let entry = slots.baseAddress.map({ $0 + place }),
                    entry.pointee.entry.terms.hold(at: now, uptime: uptime),
                    VerifiedToken.areCurrent(entry.pointee.entry.keys, entry.pointee.entry.terms, uptime)
                else { return .outdated }
                return .usable(entry.pointee.entry.token)
            }
        }
    }
}

/// An introspected token that was rejected, and how long the rejection is cached.
struct RejectedToken: Sendable {
    let reason: RefusalReason
    /// The time at which the issuer was asked, or shortly before.
    let askedAt: MonotonicInstant
    let until: MonotonicInstant
    /// The finding of the first rejection, if one was requested.
    let finding: RefusalFinding?
}
