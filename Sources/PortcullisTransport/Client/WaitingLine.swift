// SPDX-License-Identifier: MIT

/// The exchanges that wait for a connection, first come, first served; those that go first are before the others.
struct WaitingLine {
    private var exchanges: [Exchange] = []
    private var head = 0

    var count: Int { exchanges.count - head }

    /// Whether the next one goes before others.
    var beginsWithPriority: Bool { head < exchanges.count && exchanges[head].goesFirst }

    mutating func append(_ exchange: Exchange) {
        guard exchange.goesFirst else { return exchanges.append(exchange) }
        let place = exchanges[head...].firstIndex { !$0.goesFirst } ?? exchanges.endIndex
        exchanges.insert(exchange, at: place)
    }

    /// Puts an exchange before all others: it has had its turn already.
    mutating func prepend(_ exchange: Exchange) {
        exchanges.replaceSubrange(..<head, with: [exchange])
        head = 0
    }

    /// Takes the first that is not finished yet.
    mutating func popFirst() -> Exchange? {
        while head < exchanges.count {
            let exchange = exchanges[head]
            head += 1
            if head == exchanges.count || head >= 256 {
                exchanges.removeFirst(head)
                head = 0
            }
            if !exchange.isFinished { return exchange }
        }
        return nil
    }

    mutating func remove(_ exchange: Exchange) {
        exchanges.removeFirst(head)
        head = 0
        exchanges.removeAll { $0 === exchange }
    }

    /// Takes out and gives back the exchanges whose deadline has passed.
    mutating func removeExpired(at now: MonotonicInstant) -> [Exchange] {
        let expired = exchanges[head...].filter { $0.deadline <= now }
        guard !expired.isEmpty else { return [] }
        exchanges = exchanges[head...].filter { $0.deadline > now }
        head = 0
        return expired
    }

    mutating func removeAll() -> [Exchange] {
        let rest = Array(exchanges[head...])
        exchanges = []
        head = 0
        return rest
    }

    var earliestDeadline: MonotonicInstant {
        exchanges[head...].map(\.deadline).min() ?? .distantFuture
    }
}
