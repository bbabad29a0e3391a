// SPDX-License-Identifier: MIT

import Synchronization

/// The observers of invalidations.
package final class InvalidationObservers: Sendable {
    package typealias Observer = @Sendable (TokenInvalidation) -> Bool

    private struct State {
        var list: [UInt64: Observer] = [:]
        var lastNumber: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Creates an empty list.
    package init() {}

    package func add(_ observer: @escaping Observer) {
        state.withLock { state in
            state.lastNumber += 1
            state.list[state.lastNumber] = observer
        }
    }

    /// Calls all observers, and removes those that return `false`.
    package func tell(_ invalidation: TokenInvalidation) {
        let list = state.withLock { $0.list }
        let leaving = list.filter { !$0.value(invalidation) }.map(\.key)
        guard !leaving.isEmpty else { return }
        state.withLock { state in
            for number in leaving { state.list[number] = nil }
        }
    }
}
