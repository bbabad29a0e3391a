// SPDX-License-Identifier: MIT

import Synchronization

/// Remembers proofs in the memory of this process, with a bound on how many.
///
/// A record takes at most 40 bytes. No record is forgotten inside its time: a store that has no room says so, and the
/// proof is not accepted. Once it is more than half full, one key may hold at most an eighth of it, so that no client
/// can fill it, and a busy one is not held back while there is room for all.
///
/// RFC 9449 §11.1.
public final class InMemoryReplayStore: ReplayStore {
    /// How many proofs are remembered at most.
    public let capacity: Int
    private let shared: Mutex<SharedTable>
    private var table: SharedTable { shared.withLock { $0 } }

    /// The records, which outlive a change of the capacity.
    private final class SharedTable: Sendable {
        let state = Mutex(ReplayTable())
    }

    /// Makes a store without records.
    ///
    /// Traps on a capacity below 1 or above 100 million.
    public init(capacity: Int = 1_000_000) {
        precondition(ReplayTable.capacities.contains(capacity), "A store has room for 1 to 100000000 proofs.")
        self.capacity = capacity
        shared = Mutex(SharedTable())
    }

    /// A store with the records of this one, shared with it, and another capacity.
    package init(sharing other: InMemoryReplayStore, capacity: Int) {
        self.capacity = capacity
        shared = Mutex(other.table)
    }

    /// Goes on with the records of another store, shared with it, unless there are records here already.
    func share(_ other: InMemoryReplayStore) {
        let table = other.table
        shared.withLock { own in
            if own.state.withLock({ $0.count }) == 0 { own = table }
        }
    }

    /// How many proofs are remembered.
    public var count: Int { table.state.withLock { $0.count } }

    /// The bytes that the records take.
    package var byteCount: Int { table.state.withLock { $0.byteCount } }

    /// Records a proof, unless it is there already.
    ///
    /// Does not wait.
    public func insert(_ record: ReplayRecord) -> ReplayVerdict {
        table.state.withLock { $0.insert(record, capacity: capacity) }
    }
}
