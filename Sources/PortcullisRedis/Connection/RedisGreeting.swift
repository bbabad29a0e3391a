// SPDX-License-Identifier: MIT

/// What is said first on each connection: who we are, and which database is meant.
struct RedisGreeting: Sendable {
    /// One command, and what it means if it is not welcome.
    struct Step: Sendable {
        let command: [UInt8]
        let fault: RedisFault
        var isLast = false
    }

    private(set) var steps: [Step] = []

    init(_ configuration: RedisConfiguration, database: Int) {
        if let password = configuration.password {
            add(["AUTH"] + (configuration.username.map { [$0] } ?? []) + [password], .rejectedCredentials)
        }
        if database != 0 { add(["SELECT", "\(database)"], .rejectedDatabase) }
        // Nothing else may be sent before it is known that we are let in.
        if steps.isEmpty { add(["PING"], .rejectedCredentials) }
        steps[steps.count - 1].isLast = true
    }

    private mutating func add(_ words: [String], _ fault: RedisFault) {
        steps.append(Step(command: RESPCommand.encode(words.map { Array($0.utf8) }), fault: fault))
    }

    static func isWelcome(_ value: RESPValue) -> Bool {
        value.isOK || value == .text(Array("PONG".utf8))
    }
}
