// SPDX-License-Identifier: MIT

/// An event of the connection to a store, for an operator's log.
///
/// Contains nothing that the store or a client sent.
@nonexhaustive
public enum RedisEvent: Sendable, Hashable {
    /// The store answers, for the first time or again.
    case available
    /// The store does not answer correctly; commands fail until it does.
    case unavailable(RedisFault)
    /// The store evicts keys when its memory is full (`maxmemory-policy`), so a proof could be used twice.
    ///
    /// RFC 9449 §11.1.
    case evicting
    /// The store refuses `SUBSCRIBE` to the channel of invalidations, because of its access rules.
    ///
    /// Meanwhile, this process caches answers from the store only briefly.
    case subscriptionRefused
    /// The store's clock is more than ``RedisReplayStore/clockTolerance`` ahead of this machine's.
    ///
    /// Requests with DPoP proofs get 503. Reported at most once a minute. RFC 9449 §11.1.
    case clockAhead
}

/// Why a store is unavailable.
@nonexhaustive
public enum RedisFault: Sendable, Hashable, CustomStringConvertible {
    /// Its name has no address, or no server listens there.
    case unreachable
    /// The TLS handshake failed, or the certificate is not trusted.
    case insecure
    /// It rejects the user and password, or requires them.
    case rejectedCredentials
    /// It has no database with this number, or denies this user access to it.
    case rejectedDatabase
    /// It did not answer in time.
    case timeout
    /// The connection was lost.
    case lost
    /// It answers commands with errors: it is full, loading, a replica, or denies them to this user.
    case refusing

    /// A phrase for a log.
    public var description: String {
        switch self {
        case .unreachable: "no server answers at the address in its URL"
        case .insecure: "the TLS handshake failed, or its certificate is not trusted: see ca_certificates"
        case .rejectedCredentials: "it rejects the user and password"
        case .rejectedDatabase: "it rejects the database"
        case .timeout: "it did not answer in time"
        case .lost: "the connection was lost"
        case .refusing:
            "it answers with errors: it is full, loading, a replica, or denies commands to this user; see its "
                + "log"
        }
    }
}
