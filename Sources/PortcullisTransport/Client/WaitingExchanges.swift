// SPDX-License-Identifier: MIT

/// The exchanges that wait for a connection; those with priority come first.
struct WaitingExchanges {
    private var first = FIFOQueue<Exchange>()
    private var others = FIFOQueue<Exchange>()

    var count: Int { first.count + others.count }

    /// Whether the next one has priority.
    var beginsWithPriority: Bool { !first.isEmpty }

    mutating func append(_ exchange: Exchange) {
        if exchange.goesFirst { first.append(exchange) } else { others.append(exchange) }
    }

    /// Puts an exchange before all others of its kind, because it is a repetition.
    mutating func prepend(_ exchange: Exchange) {
        if exchange.goesFirst { first.prepend(exchange) } else { others.prepend(exchange) }
    }

    /// Removes and returns the first unfinished exchange.
    mutating func popFirst() -> Exchange? {
        while let exchange = first.popFirst() ?? others.popFirst() {
            if !exchange.isFinished { return exchange }
        }
        return nil
    }

    mutating func remove(_ exchange: Exchange) {
        _ = first.removeAll { $0 === exchange }
        _ = others.removeAll { $0 === exchange }
    }

    /// Removes and returns the exchanges whose deadline has passed.
    mutating func removeExpired(at now: MonotonicInstant) -> [Exchange] {
        first.removeAll { $0.deadline <= now } + others.removeAll { $0.deadline <= now }
    }

    mutating func removeAll() -> [Exchange] {
        first.removeAll() + others.removeAll()
    }

    var earliestDeadline: MonotonicInstant {
        (first.compactMap(\.deadline) + others.compactMap(\.deadline)).min() ?? .distantFuture
    }
}
