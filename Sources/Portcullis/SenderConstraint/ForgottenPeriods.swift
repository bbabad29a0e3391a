// SPDX-License-Identifier: MIT

package import PortcullisJOSE

/// Wall-clock periods of used proofs that are no longer recorded although they could still be accepted.
///
/// They arise if the wall clock ran ahead and was set back: the records' elapsed time is over, but by the
/// wall clock they are still valid. A proof of such a period counts as used, so that the table neither
/// accepts it twice nor stays full.
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
        let place = (1..<periods.count).min { first, second in
            periods[first].lowerBound - periods[first - 1].upperBound
                < periods[second].lowerBound - periods[second - 1].upperBound
        }
        guard let place else { return }
        periods[place - 1] = periods[place - 1].lowerBound...periods[place].upperBound
        periods.remove(at: place)
    }
}
