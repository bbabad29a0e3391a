// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// Remembers which DPoP proofs were accepted, so that none is accepted twice.
///
/// Asked once for each proof that is good in every other respect. Of two insertions of the same proof, on whatever
/// threads or machines, at most one may be told ``ReplayVerdict/fresh``. A record may be forgotten when its time is
/// over, and never before.
///
/// RFC 9449 §11.1.
public protocol ReplayStore: Sendable {
    /// Records a proof, unless it is there already.
    ///
    /// May wait, but not for long: the request waits with it.
    func insert(_ record: ReplayRecord) async -> ReplayVerdict
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
    /// The last moment at which the same proof could be accepted again, later than ``now``.
    public let until: NumericDate

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
