// SPDX-License-Identifier: MIT

public import Portcullis

/// Remembers accepted DPoP proofs in Redis or Valkey, so that several processes never accept one of them twice.
///
/// Each proof is one `SET … NX PX`, which is atomic in the store. While the store can't be reached nobody knows whether a proof is
/// new: it is refused with 503. The store must not drop keys before their time (`maxmemory-policy noeviction`), nor lose them when it
/// starts again (`appendonly yes`), and must not be a replica that lags behind; it decides how many proofs it has room for.
///
/// RFC 9449 §11.1.
public struct RedisReplayStore: ReplayStore {
    private let client: RedisClient

    /// Makes a store on a server.
    public init(_ client: RedisClient) {
        self.client = client
    }

    /// Records a proof, unless it is there already.
    ///
    /// Waits at most for the client's timeout.
    public func insert(_ record: ReplayRecord) async -> ReplayVerdict {
        let seconds = record.until.seconds - record.now.seconds
        // Rounded up, and a moment longer: the store's clock may run a little faster than ours.
        let milliseconds = Int(min(max(seconds, 0), 1e9) * 1000) + 1000
        let words = [
            Array("SET".utf8), client.key("proof:", record.identifier), Array("1".utf8), Array("NX".utf8),
            Array("PX".utf8), Array("\(milliseconds)".utf8),
        ]
        do throws(RedisFailure) {
            switch try await client.execute(words) {
            case let value where value.isOK: return .fresh
            case .null: return .replayed
            case let value where value.isError("OOM"): return .full
            default: return .unavailable
            }
        } catch {
            return .unavailable
        }
    }
}
