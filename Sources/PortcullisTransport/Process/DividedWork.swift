// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Synchronization

/// Work on a long list, in parts that run at the same time.
package enum DividedWork {
    /// The least number of elements of a part: fewer are not worth a thread.
    package static let leastPartLength = 200
    /// The most parts.
    package static let maxPartCount = 8

    /// Calls the work with consecutive parts of the list, and returns the results in order.
    ///
    /// Blocks the caller's thread. Each part has a thread of its own, for the reason of ``SeparateThread``.
    ///
    /// - Parameter count: The most parts at the same time; 1 keeps the work on the caller's thread.
    package static func map<Element: Sendable, Output: Sendable>(
        _ list: [Element], among count: Int, _ work: @escaping @Sendable (ArraySlice<Element>) -> Output
    ) -> [Output] {
        let count = min(count, maxPartCount, list.count / leastPartLength)
        guard count > 1 else { return [work(list[...])] }
        let length = (list.count + count - 1) / count
        let results = Mutex<[Int: Output]>([:])
        DispatchQueue.concurrentPerform(iterations: count) { part in
            let start = min(part * length, list.count)
            let end = min(start + length, list.count)
            let result = SeparateThread.run { work(list[start..<end]) }
            results.withLock { $0[part] = result }
        }
        return results.withLock { $0 }.sorted { $0.key < $1.key }.map(\.value)
    }
}
