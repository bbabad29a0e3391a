// SPDX-License-Identifier: MIT

internal import PortcullisTransport
internal import Synchronization

/// Hands each event loop a closure once a second and has the time reported until it runs.
enum LagProbe {
    private static let interval = Duration.seconds(1)

    /// Begins, for as long as the task is not cancelled.
    static func start(_ contexts: [LoopContext]) -> Task<Void, Never> {
        let targets = contexts.map(Target.init)
        return Task.detached {
            while !Task.isCancelled {
                try? await Task.sleep(for: interval)
                for target in targets { target.probe() }
            }
        }
    }

    private final class Target: Sendable {
        private let context: LoopContext
        /// A loop that is held is not asked again before it has answered.
        private let isWaiting = Atomic<Bool>(false)

        init(_ context: LoopContext) {
            self.context = context
        }

        func probe() {
            guard !isWaiting.exchange(true, ordering: .relaxed) else { return }
            let asked = MonotonicInstant.now()
            context.loop.execute {
                self.isWaiting.store(false, ordering: .relaxed)
                self.context.recorder?.record(.loopLag(.now() - asked))
            }
        }
    }
}
