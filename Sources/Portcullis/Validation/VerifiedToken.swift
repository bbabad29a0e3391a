// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport

/// A token that was found good, and how long that may be believed.
struct VerifiedToken: Sendable {
    let token: AccessToken
    /// In seconds of the day: `nbf` and `exp`, leeway included.
    let start: Double
    let end: Double
    /// The keys that it was verified with; nothing if it was introspected.
    let keys: KeyStore?
    let generation: UInt64
    /// Until when an introspection answer counts.
    let usableUntil: MonotonicInstant

    /// Whether the token may still be used: its times, its keys, the age of the answer.
    ///
    /// Keys past their freshness are refreshed in the background; past their stale limit, or if they are others than
    /// before, nothing verified with them counts: a hot token must not outlive a withdrawn key.
    @inline(__always)
    func isUsable(at now: NumericDate, uptime: MonotonicInstant) -> Bool {
        guard now.seconds < end, now.seconds >= start, uptime < usableUntil else { return false }
        guard let keys else { return true }
        let publication = keys.publication
        guard publication.generation == generation, publication.isUsable(at: uptime) else { return false }
        if !publication.isFresh(at: uptime) { keys.refreshInBackground(at: uptime) }
        return true
    }
}

/// A token that its issuer has spoken against, and how long that may be believed.
struct RejectedToken: Sendable {
    let reason: RefusalReason
    /// When the issuer was asked, or a little before.
    let askedAt: MonotonicInstant
    let until: MonotonicInstant
    /// What was said of it the first time, if anybody wanted to know.
    let finding: RefusalFinding?
}
