// SPDX-License-Identifier: MIT

import Synchronization

/// A line on a terminal's standard error that says for how long a subcommand has been silent.
///
/// It appears after a second without output, and disappears before the next output. Without a terminal there
/// is none.
package final class ProgressLine: Sendable {
    private struct State {
        var lastOutput: ContinuousClock.Instant
        var isShown = false
        var hasEnded = false
    }

    private let name: String
    private let console: Console
    private let interval: Duration
    private let started: ContinuousClock.Instant
    private let state: Mutex<State>

    /// Prepares the line.
    ///
    /// - Parameter interval: The silence before it appears, and the time between its changes.
    package init(of name: String, on console: Console, every interval: Duration = .seconds(1)) {
        self.name = name
        self.console = console
        self.interval = interval
        started = .now
        state = Mutex(State(lastOutput: started))
    }

    /// Runs a subcommand with a console that removes the line before each output.
    package func show(during work: Subcommand.Work) async -> Outcome {
        guard console.isErrorTerminal else { return await work(console) }
        let ticking = Task {
            while true {
                do {
                    try await Task.sleep(for: interval)
                } catch {
                    return
                }
                tick()
            }
        }
        let outcome = await work(console.announcing { [self] in clear() })
        ticking.cancel()
        state.withLock { state in
            state.hasEnded = true
            if state.isShown { console.writeErrorOver("") }
        }
        return outcome
    }

    private func tick() {
        let now = ContinuousClock.now
        state.withLock { state in
            guard !state.hasEnded, state.isShown || now - state.lastOutput >= interval else { return }
            console.writeErrorOver("\(name): \((now - started).components.seconds) s …")
            state.isShown = true
        }
    }

    private func clear() {
        state.withLock { state in
            if state.isShown { console.writeErrorOver("") }
            state.isShown = false
            state.lastOutput = .now
        }
    }
}
