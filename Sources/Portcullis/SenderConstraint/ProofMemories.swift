// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisTransport
import Synchronization

/// The replay stores and nonce keys of resources, which survive a change of their configuration.
///
/// RFC 9449 §8, §11.1.
package final class ProofMemories: Sendable {
    private struct State {
        /// The time at which the first resource was declared; since then this process has seen every proof.
        var start: MonotonicInstant?
        var stores: [[UInt8]: InMemoryReplayStore] = [:]
        var sealers: [[UInt8]: NonceSealer] = [:]
    }

    private let previous: ProofMemories?
    private let state = Mutex(State())

    /// Starts empty.
    ///
    /// - Parameter previous: The earlier memories: a resource with the same identifier keeps its records and
    ///   keys.
    package init(succeeding previous: ProofMemories? = nil) {
        self.previous = previous?.withoutPrevious()
    }

    /// Starts empty, for a process that uses up no proofs: a proof since `start` is not refused for its age.
    package init(since start: MonotonicInstant) {
        previous = nil
        state.withLock { $0.start = start }
    }

    // Keeping the whole chain of earlier configurations would leak memory.
    private func withoutPrevious() -> ProofMemories {
        let copy = ProofMemories()
        let known = state.withLock { $0 }
        copy.state.withLock { $0 = known }
        return copy
    }

    /// Returns the in-memory store of a resource without a configured one.
    func store(
        for resource: ResourceIdentifier, capacity: Int, uptime: @escaping @Sendable () -> MonotonicInstant
    ) -> InMemoryReplayStore {
        let name = Array(resource.text.utf8)
        let (earlier, earlierStart) = previous?.state.withLock { ($0.stores[name], $0.start) } ?? (nil, nil)
        let store = earlier.map { InMemoryReplayStore(sharing: $0, capacity: capacity) }
        return state.withLock { state in
            let start = state.start ?? earlierStart ?? uptime()
            state.start = start
            let made = store ?? InMemoryReplayStore(capacity: capacity, since: start, uptime: uptime)
            state.stores[name] = made
            return made
        }
    }

    /// Returns the nonce sealer of a resource.
    func sealer(for resource: ResourceIdentifier, _ policy: DPoPPolicy, at now: NumericDate) -> NonceSealer {
        let name = Array(resource.text.utf8)
        let earlier = previous?.state.withLock { $0.sealers[name] }
        let sealer = NonceSealer(
            resource.text, lifetime: policy.nonceLifetime, keys: policy.nonceKeys.map(\.key), at: now,
            succeeding: earlier)
        state.withLock { $0.sealers[name] = sealer }
        return sealer
    }
}
