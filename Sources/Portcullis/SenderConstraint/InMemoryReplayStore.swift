// SPDX-License-Identifier: MIT

import PortcullisHTTP
public import PortcullisTransport
import Synchronization

/// Remembers proofs in the memory of this process, with a bound on how many.
///
/// A record takes at most 40 bytes. No record is forgotten inside its time, which is counted by a clock that is never set: a store that
/// has no room says so, and the proof is not accepted. Once it is more than half full, one key may hold at most an eighth of it, so that no client
/// can fill it, and a busy one is not held back while there is room for all.
///
/// RFC 9449 §11.1.
public final class InMemoryReplayStore: ReplayStore {
    /// How many proofs are remembered at most.
    package let capacity: Int
    private let shared: Mutex<SharedTable>
    private let uptime: @Sendable () -> MonotonicInstant
    private var table: SharedTable { shared.withLock { $0 } }

    /// The records, which outlive a change of the capacity.
    private final class SharedTable: Sendable {
        let start: MonotonicInstant
        let state = Mutex(ReplayTable())

        init(since start: MonotonicInstant) { self.start = start }
    }

    /// Makes a store without records.
    ///
    /// Traps on a capacity below 1 or above 100 million.
    ///
    /// - Parameters:
    ///   - capacity: How many proofs are remembered at most. Default 1,000,000.
    ///   - uptime: A clock that is never set. Default the machine's.
    ///   - file: The source file that a trap names.
    ///   - line: The line in it.
    public convenience init(
        capacity: Int = 1_000_000,
        uptime: @escaping @Sendable () -> MonotonicInstant = TimeSource.system.uptime,
        file: StaticString = #fileID, line: UInt = #line
    ) {
        endUnless(
            ReplayTable.capacities.contains(capacity), "A store has room for 1 to 100000000 proofs.",
            file: file, line: line)
        self.init(capacity: capacity, since: uptime(), uptime: uptime)
    }

    /// Makes a store without records, for a process that has seen every proof since a moment.
    init(
        capacity: Int, since start: MonotonicInstant, uptime: @escaping @Sendable () -> MonotonicInstant
    ) {
        self.capacity = capacity
        self.uptime = uptime
        shared = Mutex(SharedTable(since: start))
    }

    /// A store with the records of this one, shared with it, and another capacity.
    package init(sharing other: InMemoryReplayStore, capacity: Int) {
        self.capacity = capacity
        uptime = other.uptime
        shared = Mutex(other.table)
    }

    /// Goes on with the records of another store, shared with it, unless there are records here already.
    func share(_ other: InMemoryReplayStore) {
        let table = other.table
        shared.withLock { own in
            if own.state.withLock({ $0.count }) == 0 { own = table }
        }
    }

    /// How old the first of the stores is that share these records; a proof from before it may have been used.
    public var age: Duration? { uptime() - table.start }

    /// How many proofs are remembered.
    public var count: Int { table.state.withLock { $0.count } }

    /// The bytes that the records take.
    package var byteCount: Int { table.state.withLock { $0.byteCount } }

    /// Records a proof, unless it is there already.
    ///
    /// Does not wait.
    public func insert(_ record: ReplayRecord) -> ReplayVerdict {
        table.state.withLock { $0.insert(record, capacity: capacity, at: uptime()) }
    }
}
