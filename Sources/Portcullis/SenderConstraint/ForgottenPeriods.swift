// SPDX-License-Identifier: MIT

package import PortcullisJOSE

/// Wall-clock periods whose used proofs have been dropped, although these proofs could still be accepted.
///
/// They arise if the wall clock ran ahead and was set back: the records have expired by elapsed time, but by
/// the wall clock the proofs are still valid. A proof from such a period is refused as used, so that the
/// table neither accepts it twice nor stays full.
package struct ForgottenPeriods {
    /// The maximum number of periods; beyond it, the two closest are merged.
    package static let maximumCount = 16
    /// Periods closer together than this are merged, in seconds.
    private static let gap: UInt32 = 5

    package private(set) var periods: [ClosedRange<UInt32>] = []

    package init() {}

    package func contains(_ second: UInt32) -> Bool {
        !periods.isEmpty && periods.contains { $0.contains(second) }
    }

    package mutating func add(_ second: UInt32) {
        var merged = second...second
        periods.removeAll { period in
            guard period.lowerBound <= second &+ Self.gap || second > .max - Self.gap,
                second <= period.upperBound &+ Self.gap || period.upperBound > .max - Self.gap
            else { return false }
            merged = min(period.lowerBound, merged.lowerBound)...max(period.upperBound, merged.upperBound)
            return true
        }
        periods.append(merged)
        periods.sort { $0.lowerBound < $1.lowerBound }
        if periods.count > Self.maximumCount { mergeClosest() }
    }

    /// Removes the periods that have passed.
    package mutating func drop(before now: NumericDate) {
        guard !periods.isEmpty else { return }
        periods.removeAll { Double($0.upperBound) < now.seconds }
    }

    private mutating func mergeClosest() {
        let index = (1..<periods.count).min { first, second in
            periods[first].lowerBound - periods[first - 1].upperBound
                < periods[second].lowerBound - periods[second - 1].upperBound
        }
        guard let index else { return }
        periods[index - 1] = periods[index - 1].lowerBound...periods[index].upperBound
        periods.remove(at: index)
    }
}
