// SPDX-License-Identifier: MIT

/// Sends PINGs at an interval, to report outages and recoveries independently of requests.
struct RedisWatch: Sendable {
    private static let interval = Duration.seconds(2)

    let core: RedisCore
    let onEvent: @Sendable (RedisEvent) -> Void

    /// Runs until its task is cancelled.
    func keep() async {
        var isPolicyKnown = false
        while !Task.isCancelled {
            let reply = try? await core.execute([Array("PING".utf8)])
            if reply == nil {
                isPolicyKnown = false
            } else if !isPolicyKnown {
                isPolicyKnown = true
                if await evicts(), !Task.isCancelled { onEvent(.evicting) }
            }
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// Whether the store evicts keys when its memory is full; `false` if it does not allow INFO.
    private func evicts() async -> Bool {
        let words = [Array("INFO".utf8), Array("memory".utf8)]
        guard let bytes = try? await core.execute(words).payload else { return false }
        var members: [Substring: Substring] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { members[parts[0]] = parts[1] }
        }
        guard let bound = members["maxmemory"], bound != "0" else { return false }
        return members["maxmemory_policy"] != "noeviction"
    }
}
