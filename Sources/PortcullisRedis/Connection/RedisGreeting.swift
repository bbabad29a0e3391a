// SPDX-License-Identifier: MIT

/// The first commands on each connection: authentication and the choice of the database.
struct RedisGreeting: Sendable {
    /// One command, and the fault to report if the store rejects it.
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
        // Shows whether the store accepts the connection before other commands are sent.
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
