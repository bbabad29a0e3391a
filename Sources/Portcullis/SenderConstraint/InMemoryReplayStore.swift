// SPDX-License-Identifier: MIT

import PortcullisHTTP
public import PortcullisTransport
import Synchronization

/// Records proofs in the memory of this process, up to a capacity.
///
/// A record takes at most 40 bytes. No record is dropped before its end, measured by the monotonic clock: a
/// full store answers ``ReplayVerdict/full``, and the proof is not accepted. Once the store is more than half
/// full, one key may have at most an eighth of it, so that no client can fill it, and a busy client is not
/// limited while there is room.
///
/// RFC 9449 §11.1.
public final class InMemoryReplayStore: ReplayStore {
    /// The maximum number of proofs.
    package let capacity: Int
    private let shared: Mutex<SharedTable>
    private let uptime: @Sendable () -> MonotonicInstant
    private var table: SharedTable { shared.withLock { $0 } }

    /// The records, which survive a change of the capacity.
    private final class SharedTable: Sendable {
        let start: MonotonicInstant
        let state = Mutex(ReplayTable())

        init(since start: MonotonicInstant) { self.start = start }
    }

    /// Makes an empty store.
    ///
    /// Traps on a capacity below 1 or above 100 million.
    ///
    /// - Parameters:
    ///   - capacity: The maximum number of proofs. Default 1,000,000.
    ///   - uptime: A monotonic clock. Default the system's.
    ///   - file: The source file reported by a trap.
    ///   - line: The line reported by a trap.
    public convenience init(
        capacity: Int = 1_000_000,
        uptime: @escaping @Sendable () -> MonotonicInstant = TimeSource.system.uptime,
        file: StaticString = #fileID, line: UInt = #line
    ) {
        endUnless(
            ReplayTable.capacities.contains(capacity),
            "The capacity of a replay store must be from 1 to 100000000 proofs.",
            file: file, line: line)
        self.init(capacity: capacity, since: uptime(), uptime: uptime)
    }

    /// Makes an empty store for a process that has seen every proof since `start`.
    init(
        capacity: Int, since start: MonotonicInstant, uptime: @escaping @Sendable () -> MonotonicInstant
    ) {
        self.capacity = capacity
        self.uptime = uptime
        shared = Mutex(SharedTable(since: start))
    }

    /// Makes a store with another capacity that shares the records of an existing one.
    package init(sharing other: InMemoryReplayStore, capacity: Int) {
        self.capacity = capacity
        uptime = other.uptime
        shared = Mutex(other.table)
    }

    /// Shares the records of another store, unless this one has records already.
    func share(_ other: InMemoryReplayStore) {
        let table = other.table
        shared.withLock { own in
            if own.state.withLock({ $0.count }) == 0 { own = table }
        }
    }

    /// The age of the oldest store that shares these records; an older proof may have been used.
    public var age: Duration? { uptime() - table.start }

    /// The number of recorded proofs.
    public var count: Int { table.state.withLock { $0.count } }

    /// The memory of the records, in bytes.
    package var byteCount: Int { table.state.withLock { $0.byteCount } }

    /// Records a proof, unless it is recorded already.
    ///
    /// Does not wait.
    public func insert(_ record: ReplayRecord) -> ReplayVerdict {
        table.state.withLock { $0.insert(record, capacity: capacity, at: uptime()) }
    }
}
