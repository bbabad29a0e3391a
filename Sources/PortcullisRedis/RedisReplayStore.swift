// SPDX-License-Identifier: MIT

public import Portcullis

/// Records accepted DPoP proofs in Redis or Valkey, so that several processes never accept one of them twice.
///
/// Each proof is one key, set by an atomic script. The store's own clock decides how long a record is kept,
/// so the clocks of the processes may differ: a record is kept for longer than any of the processes accepts
/// its proof, and a proof that has expired by the store's clock is refused. While the store is unreachable,
/// requests with proofs get 503.
/// The store must not evict keys (`maxmemory-policy noeviction`), must not lose them on restart (`appendonly
/// yes`), and must not be a replica. Its memory limits the number of records.
///
/// RFC 9449 §11.1.
public struct RedisReplayStore: ReplayStore {
    /// How far the store's clock may be ahead of this machine's before requests with proofs get 503: 60
    /// seconds.
    ///
    /// Records are kept longer by this time.
    public static let clockTolerance = Duration.seconds(60)

    private let client: RedisClient

    /// Creates a replay store on the client's server.
    public init(_ client: RedisClient) {
        self.client = client
    }

    // TIME is the store's clock, so that one clock decides for all processes. pcall returns errors as
    // replies.
    private static let script = Array(
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local left = tonumber(ARGV[1]) - now
        if left < 0 then return -1 end
        local kept = math.max(left, tonumber(ARGV[2]))
        return redis.pcall('SET', KEYS[1], '1', 'NX', 'PX', string.format('%.0f', kept))
        """.utf8)

    /// Records a proof, unless it is already recorded.
    ///
    /// Waits at most for the client's timeout.
    public func insert(_ record: ReplayRecord) async -> ReplayVerdict {
        let end = record.until.adding(Self.clockTolerance).seconds
        // Rounded up, plus one second: the store's clock may run faster than ours.
        let words = [
            Array("EVAL".utf8), Self.script, Array("1".utf8), client.key("proof:", record.identifier),
            Self.milliseconds(end), Self.milliseconds(record.lifetime / .seconds(1) + 1),
        ]
        do throws(RedisFailure) {
            switch try await client.execute(words) {
            case let value where value.isOK: return .fresh
            case .null: return .replayed
            case .integer:
                client.core.reportClock()
                return .unavailable
            case let value where value.isError("OOM"): return .full
            default: return .unavailable
            }
        } catch {
            return .unavailable
        }
    }

    private static func milliseconds(_ seconds: Double) -> [UInt8] {
        Array("\(Int((min(max(seconds, 0), 1e12) * 1000).rounded(.up)))".utf8)
    }
}
