// SPDX-License-Identifier: MIT

extension RedisEvent: CustomStringConvertible {
    /// What happened to the store, as a sentence for an operator's log.
    public var description: String {
        switch self {
        case .available: "store: answers"
        case .unavailable(let fault):
            "store: out of use, \(fault); DPoP proofs get 503 until it answers, and tokens are introspected without it"
        case .evicting:
            "store: drops keys when its memory is full, so that it may forget a DPoP proof too early; "
                + "set maxmemory-policy to noeviction"
        case .subscriptionRefused:
            "store: refuses to tell what other processes invalidate, so that no introspection answer is kept here for longer than a "
                + "moment; allow this user its channel"
        case .clockAhead:
            "store: its clock is more than 60 seconds ahead of this machine's, so that DPoP proofs get 503; set both clocks by NTP"
        }
    }
}
