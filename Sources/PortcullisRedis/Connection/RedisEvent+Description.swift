// SPDX-License-Identifier: MIT

extension RedisEvent: CustomStringConvertible {
    /// A sentence for an operator's log.
    public var description: String {
        switch self {
        case .available: "store: available"
        case .unavailable(let fault):
            "store: unavailable, \(fault); until it recovers, requests with DPoP proofs get 503 and "
                + "introspection does not use the shared cache"
        case .evicting:
            "store: evicts keys when its memory is full, so a DPoP proof could be used twice; "
                + "set maxmemory-policy to noeviction"
        case .subscriptionRefused:
            "store: refuses the subscription to invalidations, so introspection answers from it are cached "
                + "here only briefly; grant this user permission to SUBSCRIBE to the channel"
        case .clockAhead:
            "store: its clock is more than 60 seconds ahead of this machine's, so requests with DPoP proofs "
                + "get 503; synchronize both clocks, for example with NTP"
        }
    }
}
