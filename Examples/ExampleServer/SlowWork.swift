// SPDX-License-Identifier: MIT

import Dispatch

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A line in the log about work that takes longer than a second, if the log goes to a terminal.
final class SlowWork {
    private let announcement: DispatchWorkItem

    /// Starts the work.
    ///
    /// - Parameter sentence: What to log if the work has not ended after a second.
    init(_ sentence: String) {
        announcement = DispatchWorkItem { log(sentence) }
        guard isatty(2) == 1 else { return }
        DispatchQueue.global().asyncAfter(deadline: .now() + 1, execute: announcement)
    }

    /// Ends the work.
    func end() { announcement.cancel() }
}
