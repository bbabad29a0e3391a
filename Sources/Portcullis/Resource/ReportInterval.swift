// SPDX-License-Identifier: MIT

import PortcullisTransport
import Synchronization

/// Limits the reports of a condition that clients can cause, to one a minute.
final class ReportInterval: Sendable {
    private static let nanoseconds: UInt64 = 60_000_000_000

    /// The time of the last report, in nanoseconds; 0 for never.
    private let last = Atomic<UInt64>(0)

    /// Whether a report is due; then it counts as made.
    func isDue(at now: MonotonicInstant) -> Bool {
        let now = now.nanoseconds
        let last = last.load(ordering: .relaxed)
        guard last == 0 || now &- last >= Self.nanoseconds else { return false }
        return self.last.compareExchange(expected: last, desired: max(now, 1), ordering: .relaxed).exchanged
    }
}
