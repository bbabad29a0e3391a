// SPDX-License-Identifier: MIT

/// The exchanges that wait for a connection.
struct WaitingExchanges {
    private var queue = FIFOQueue<Exchange>()

    var count: Int { queue.count }

    mutating func append(_ exchange: Exchange) {
        queue.append(exchange)
    }

    /// Puts an exchange before all others: it has had its turn already.
    mutating func prepend(_ exchange: Exchange) {
        queue.prepend(exchange)
    }

    /// Takes the first that is not finished yet.
    mutating func popFirst() -> Exchange? {
        while let exchange = queue.popFirst() {
            if !exchange.isFinished { return exchange }
        }
        return nil
    }

    mutating func remove(_ exchange: Exchange) {
        _ = queue.removeAll { $0 === exchange }
    }

    /// Takes the exchanges whose deadline has passed.
    mutating func removeExpired(at now: MonotonicInstant) -> [Exchange] {
        queue.removeAll { $0.deadline <= now }
    }

    mutating func removeAll() -> [Exchange] {
        queue.removeAll()
    }

    var earliestDeadline: MonotonicInstant {
        queue.compactMap(\.deadline).min() ?? .distantFuture
    }
}
