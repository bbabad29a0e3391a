// SPDX-License-Identifier: MIT

/// Work that takes some tens of microseconds, such as checking a signature, in the order in which it came.
///
/// It waits until the cheap work of a turn is done and gets a share of the time: who sends forged tokens as fast as the network
/// carries them must not keep those waiting whose tokens are known.
package struct CostlyWork {
    /// What a turn spends on it at least, so that the price of going round does not count.
    package static let minimumNanoseconds: UInt64 = 100_000
    /// What a turn spends on it at most, so that the sockets are looked at again soon.
    package static let maximumNanoseconds: UInt64 = 1_000_000

    private var works: [() -> Void] = []
    private var nextIndex = 0

    package init() {}

    package var isEmpty: Bool { nextIndex == works.count }

    package mutating func append(_ work: @escaping () -> Void) {
        works.append(work)
    }

    /// The piece whose turn it is.
    package mutating func next() -> (() -> Void)? {
        guard nextIndex < works.count else { return nil }
        let work = works[nextIndex]
        works[nextIndex] = {}
        nextIndex += 1
        // What has been done is let go in bulk, so that each piece is moved once or twice in all.
        if nextIndex == works.count || nextIndex >= 1024 {
            works.removeFirst(nextIndex)
            nextIndex = 0
        }
        return work
    }

    /// How long a turn may spend on it whose cheap work has taken so long: half of that, within the bounds.
    package static func share(afterNanoseconds spent: UInt64) -> UInt64 {
        min(max(spent / 2, minimumNanoseconds), maximumNanoseconds)
    }
}
