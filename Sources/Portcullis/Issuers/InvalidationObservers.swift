// SPDX-License-Identifier: MIT

import Synchronization

/// Those who want to know of invalidations.
package final class InvalidationObservers: Sendable {
    package typealias Observer = @Sendable (TokenInvalidation) -> Bool

    private struct State {
        var list: [UInt64: Observer] = [:]
        var lastNumber: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Starts with nobody.
    package init() {}

    package func add(_ observer: @escaping Observer) {
        state.withLock { state in
            state.lastNumber += 1
            state.list[state.lastNumber] = observer
        }
    }

    /// Tells everybody, and lets go of those who want no more.
    package func tell(_ invalidation: TokenInvalidation) {
        let list = state.withLock { $0.list }
        let leaving = list.filter { !$0.value(invalidation) }.map(\.key)
        guard !leaving.isEmpty else { return }
        state.withLock { state in
            for number in leaving { state.list[number] = nil }
        }
    }
}
