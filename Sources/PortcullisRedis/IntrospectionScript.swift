// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisJOSE

/// The names of the Redis keys for one token.
struct IntrospectionNames {
    /// The key with the number of the last invalidation, and the key with the set of affected answers.
    typealias Group = (marker: [UInt8], index: [UInt8])

    private let client: RedisClient
    private let issuer: String
    /// The key with the answer for one introspecting client.
    let entry: [UInt8]
    /// The keys for the answers about the token, for all clients.
    let token: Group

    /// The key with the counter of invalidations.
    var counter: [UInt8] { client.key("invalidations") }
    /// The key with the number of the last `.all` invalidation.
    var everything: [UInt8] { client.key("all") }

    init(_ client: RedisClient, _ key: IntrospectionKey) {
        self.client = client
        issuer = key.issuer
        // Parts of variable length are hashed, so that names cannot collide.
        let name = Digest.sha256(Array(key.issuer.utf8)).bytes + key.tokenHash
        entry = client.key("answer:", name + Digest.sha256(key.asker).bytes)
        token = Self.token(key.tokenHash, issuer: key.issuer, client)
    }

    static func token(_ hash: [UInt8], issuer: String, _ client: RedisClient) -> Group {
        let name = Digest.sha256(Array(issuer.utf8)).bytes + hash
        return (client.key("token:", name), client.key("answers-of-token:", name))
    }

    /// The keys for the answers about a subject.
    func subject(_ subject: String) -> Group {
        Self.subject(subject, issuer: issuer, client)
    }

    static func subject(_ subject: String, issuer: String, _ client: RedisClient) -> Group {
        let name =
            Digest.sha256(Array(issuer.utf8)).bytes + Digest.sha256(Array(subject.utf8)).bytes
        return (client.key("subject:", name), client.key("answers:", name))
    }
}

/// The Lua scripts that the store runs atomically.
///
/// Invalidations are numbered. An answer is stored only if no invalidation that affects it has a higher
/// number than the ticket that the preceding `recall` returned.
enum IntrospectionScript {
    /// How long the number of an invalidation is kept: longer than any introspection request takes.
    static let markerMilliseconds = 600_000

    /// Returns the answer and its remaining lifetime by the store's clock.
    private static let recallText = """
        local found = redis.call('MGET', KEYS[1], KEYS[2], KEYS[3])
        local left = found[1] and redis.call('PTTL', KEYS[1]) or 0
        return {found[1], found[2], found[3], tostring(left)}
        """

    private static let rememberText = """
        for i = 2, 4 do
          local last = redis.call('GET', KEYS[i])
          if last and tonumber(last) > tonumber(ARGV[1]) then return 0 end
        end
        local now = redis.call('TIME')[1] * 1000
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        for i = 5, 6 do
          redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
          redis.call('ZADD', KEYS[i], now + ARGV[3], KEYS[1])
          if redis.call('PTTL', KEYS[i]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
        end
        return 1
        """

    /// Stores an inactive answer unless anything was invalidated since its ticket.
    ///
    /// The answer has no subject, so any invalidation may affect it.
    private static let rejectText = """
        if tonumber(redis.call('GET', KEYS[2]) or '0') > tonumber(ARGV[1]) then return 0 end
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        return 1
        """

    private static let invalidateText = """
        local number = redis.call('INCR', KEYS[1])
        if ARGV[3] == '0' then redis.call('SET', KEYS[2], number)
        else redis.call('SET', KEYS[2], number, 'PX', ARGV[3]) end
        for i = 3, #KEYS do
          if redis.call('TYPE', KEYS[i]).ok == 'zset' then
            for _, name in ipairs(redis.call('ZRANGE', KEYS[i], 0, -1)) do redis.call('DEL', name) end
          end
          redis.call('DEL', KEYS[i])
        end
        return redis.call('PUBLISH', ARGV[1], ARGV[2])
        """

    static func recall(keys: [[UInt8]]) -> [[UInt8]] {
        call(recallText, keys, [])
    }

    static func remember(keys: [[UInt8]], _ arguments: [[UInt8]]) -> [[UInt8]] {
        call(rememberText, keys, arguments)
    }

    static func reject(keys: [[UInt8]], _ arguments: [[UInt8]]) -> [[UInt8]] {
        call(rejectText, keys, arguments)
    }

    static func invalidate(_ invalidation: TokenInvalidation, _ client: RedisClient) -> [[UInt8]] {
        let group: IntrospectionNames.Group?
        switch invalidation {
        case .token(let hash, let issuer): group = IntrospectionNames.token(hash, issuer: issuer, client)
        case .subject(let subject, let issuer):
            group = IntrospectionNames.subject(subject, issuer: issuer, client)
        case .all: group = nil
        }
        // `.all` deletes no answers: this number, which never expires, makes older answers invalid.
        let marker = group?.marker ?? client.key("all")
        let lifetime = group == nil ? 0 : markerMilliseconds
        return call(
            invalidateText, [client.key("invalidations"), marker] + (group.map { [$0.index] } ?? []),
            [
                RedisSubscription.channel(client), InvalidationMessage.encode(invalidation),
                Array("\(lifetime)".utf8),
            ])
    }

    private static func call(_ text: String, _ keys: [[UInt8]], _ arguments: [[UInt8]]) -> [[UInt8]] {
        [Array("EVAL".utf8), Array(text.utf8), Array("\(keys.count)".utf8)] + keys + arguments
    }
}
