// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// Remembers which DPoP proofs were accepted, so that none is accepted twice.
///
/// Asked once for each proof that is good in every other respect. Of two insertions of the same proof, on whatever
/// threads or machines, at most one may be answered ``ReplayVerdict/fresh``. A record may be forgotten when
/// ``ReplayRecord/lifetime`` has elapsed, and never before.
///
/// The clocks of servers that share a store differ. A store that they share therefore judges ``ReplayRecord/until`` by a clock of
/// its own: it keeps a record until then, and refuses one whose `until` has passed.
///
/// RFC 9449 §11.1.
public protocol ReplayStore: Sendable {
    /// Records a proof, unless it is there already.
    ///
    /// May wait, but not for long: the request waits with it.
    func insert(_ record: ReplayRecord) async -> ReplayVerdict

    /// For how long the store has seen every proof, or `nil` if it outlives the server.
    ///
    /// A proof that was issued before that is refused, since an earlier process may have accepted it. Default `nil`.
    var age: Duration? { get }
}

extension ReplayStore {
    /// `nil`: the store outlives the server.
    public var age: Duration? { nil }
}

/// What a store remembers of a proof: no part of the proof, its key or its token can be read from it.
///
/// RFC 9449 §11.1.
public struct ReplayRecord: Sendable, Hashable {
    /// The 32 bytes of a hash over the key's thumbprint and the proof's `jti`.
    public let identifier: [UInt8]
    /// The 32 bytes of the key's thumbprint, for a store that bounds what one key may take.
    ///
    /// RFC 7638.
    public let keyThumbprint: [UInt8]
    /// The moment at which the proof is checked.
    public let now: NumericDate
    /// The last moment at which the same proof could be accepted again, by a clock that is right; later than ``now``.
    public let until: NumericDate
    /// For how long the record has to be kept from its insertion on, by a clock that is never set.
    public var lifetime: Duration { .seconds(min(max(until.seconds - now.seconds, 0), 1e9)) }

    /// Makes a record, for tests of stores.
    public init(identifier: [UInt8], keyThumbprint: [UInt8], now: NumericDate, until: NumericDate) {
        self.identifier = identifier
        self.keyThumbprint = keyThumbprint
        self.now = now
        self.until = until
    }
}

/// What a store says of a proof.
///
/// RFC 9449 §11.1.
public enum ReplayVerdict: Sendable, Hashable {
    /// It was not there, and is now.
    case fresh
    /// It was there: the proof was used before.
    case replayed
    /// There is no room, for anybody or for this key. Answered with 503.
    case full
    /// Nobody knows, since the store can't be reached. Answered with 503.
    case unavailable
}

/// A proof that has to be looked up in a store.
package struct ReplayQuestion: Sendable {
    let store: any ReplayStore
    let record: ReplayRecord
}
