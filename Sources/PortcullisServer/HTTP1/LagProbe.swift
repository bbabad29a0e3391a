// SPDX-License-Identifier: MIT

internal import PortcullisTransport
internal import Synchronization

/// Submits a closure to each event loop once a second, and reports the delay until it runs.
enum LagProbe {
    private static let interval = Duration.seconds(1)

    /// Starts probing, until the task is cancelled.
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
        /// A blocked loop gets no further probe until it has run the last one.
        private let isWaiting = Atomic<Bool>(false)

        init(_ context: LoopContext) {
            self.context = context
        }

        func probe() {
            guard !isWaiting.exchange(true, ordering: .relaxed) else { return }
            let submitted = MonotonicInstant.now()
            context.loop.execute {
                self.isWaiting.store(false, ordering: .relaxed)
                self.context.recorder?.record(.loopLag(.now() - submitted))
            }
        }
    }
}
