// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// Records accepted DPoP proofs, so that none is accepted twice.
///
/// Called once for each proof that passed all other checks. Of several insertions of the same proof, on any
/// threads or machines, at most one may return ``ReplayVerdict/fresh``. A record may be dropped when
/// ``ReplayRecord/lifetime`` has elapsed, and never before.
///
/// The clocks of servers that share a store differ. A shared store therefore compares ``ReplayRecord/until``
/// with its own clock: it keeps a record until then, and refuses one whose `until` has passed.
///
/// RFC 9449 §11.1.
public protocol ReplayStore: Sendable {
    /// Records a proof, unless it is recorded already.
    ///
    /// May wait, but only briefly, because the request waits for it.
    func insert(_ record: ReplayRecord) async -> ReplayVerdict

    /// For how long the store has recorded every accepted proof; `nil` if its records outlive the process.
    ///
    /// An older proof is refused, since an earlier process may have accepted it. Default `nil`.
    var age: Duration? { get }
}

extension ReplayStore {
    /// `nil`: the records outlive the process.
    public var age: Duration? { nil }
}

/// The record of a proof; neither the proof, its key nor its token can be derived from it.
///
/// RFC 9449 §11.1.
public struct ReplayRecord: Sendable, Hashable {
    /// The 32 bytes of a hash over the key's thumbprint and the proof's `jti`.
    public let identifier: [UInt8]
    /// The 32 bytes of the key's thumbprint, for a store that limits the records per key.
    ///
    /// RFC 7638.
    public let keyThumbprint: [UInt8]
    /// The time at which the proof is checked.
    public let now: NumericDate
    /// The last time at which the same proof could be accepted again, by a correct clock; later than ``now``.
    public let until: NumericDate
    /// How long the record must be kept after its insertion, by a monotonic clock.
    public var lifetime: Duration { .seconds(min(max(until.seconds - now.seconds, 0), 1e9)) }

    /// Creates a record, for tests of stores.
    public init(identifier: [UInt8], keyThumbprint: [UInt8], now: NumericDate, until: NumericDate) {
        self.identifier = identifier
        self.keyThumbprint = keyThumbprint
        self.now = now
        self.until = until
    }
}

/// The result of recording a proof.
///
/// RFC 9449 §11.1.
public enum ReplayVerdict: Sendable, Hashable {
    /// The proof was not recorded before, and is now.
    case fresh
    /// The proof was recorded before: it was used already.
    case replayed
    /// The store is full, or full for this key. The request gets 503.
    case full
    /// The store can't be reached. The request gets 503.
    case unavailable
}

/// A proof to record in a store.
package struct ReplayQuestion: Sendable {
    let store: any ReplayStore
    let record: ReplayRecord
}
