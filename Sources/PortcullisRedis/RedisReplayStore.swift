// SPDX-License-Identifier: MIT

public import Portcullis

/// Remembers accepted DPoP proofs in Redis or Valkey, so that several processes never accept one of them twice.
///
/// Each proof is one key, set by a script that is atomic in the store. The store's own clock decides how long a proof counts, so the
/// clocks of the processes may differ: a record outlives its proof for each of them, and a proof whose time is over by the store's
/// clock is refused. While the store cannot be reached, proofs are refused with 503. The store must not drop keys before their time
/// (`maxmemory-policy noeviction`), nor lose them when it starts again (`appendonly yes`), and must not be a replica that lags behind;
/// it decides how many proofs it has room for.
///
/// RFC 9449 §11.1.
public struct RedisReplayStore: ReplayStore {
    /// How far the store's clock may be ahead of a server's before that server's proofs are refused with 503.
    ///
    /// Records are kept for that much longer. 60 seconds.
    public static let clockTolerance = Duration.seconds(60)

    private let client: RedisClient

    /// Makes a store on a server.
    public init(_ client: RedisClient) {
        self.client = client
    }

    // The time is the store's, so that one clock decides for all servers. What the store says is handed back as it is.
    private static let script = Array(
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local left = tonumber(ARGV[1]) - now
        if left < 0 then return -1 end
        local kept = math.max(left, tonumber(ARGV[2]))
        return redis.pcall('SET', KEYS[1], '1', 'NX', 'PX', string.format('%.0f', kept))
        """.utf8)

    /// Records a proof, unless it is there already.
    ///
    /// Waits at most for the client's timeout.
    public func insert(_ record: ReplayRecord) async -> ReplayVerdict {
        let end = record.until.adding(Self.clockTolerance).seconds
        // Rounded up, and a moment longer: the store's clock may run a little faster than ours.
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
