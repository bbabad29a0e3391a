// SPDX-License-Identifier: MIT

/// What befalls the way to a store, for an operator's log.
///
/// Holds nothing that the store or a client has sent.
@nonexhaustive
public enum RedisEvent: Sendable, Hashable {
    /// The store answers: for the first time, or again.
    case available
    /// The store does not answer, or not as it must; commands fail until it does.
    case unavailable(RedisFault)
    /// The store drops keys when its memory is full (`maxmemory-policy`), so that it may forget a proof too early.
    ///
    /// RFC 9449 §11.1.
    case evicting
    /// The store refuses to say what other processes invalidate (`SUBSCRIBE`, a matter of its access rules).
    ///
    /// Nothing that comes from it is kept in memory meanwhile for longer than a moment.
    case subscriptionRefused
    /// The store's clock is more than ``RedisReplayStore/clockTolerance`` ahead of this machine's; DPoP proofs are refused with 503.
    ///
    /// Told once a minute at most. RFC 9449 §11.1.
    case clockAhead
}

/// Why a store is of no use.
@nonexhaustive
public enum RedisFault: Sendable, Hashable, CustomStringConvertible {
    /// Its name has no address, or nobody listens there.
    case unreachable
    /// There was no TLS handshake, or its certificate is not to be trusted.
    case insecure
    /// It does not take the user and the password, or wants some.
    case rejectedCredentials
    /// It has no database of this number, or not for this user.
    case rejectedDatabase
    /// It has not answered in time.
    case timeout
    /// The connection has ended.
    case lost
    /// It answers commands with errors: it is full, still loading, a replica, or does not allow them to this user.
    case refusing

    /// A phrase for a log.
    public var description: String {
        switch self {
        case .unreachable: "nobody answers at its address"
        case .insecure: "no TLS connection to trust"
        case .rejectedCredentials: "it does not take our user and password"
        case .rejectedDatabase: "it does not let us use the database"
        case .timeout: "no answer in time"
        case .lost: "the connection was lost"
        case .refusing: "it answers with errors"
        }
    }
}
