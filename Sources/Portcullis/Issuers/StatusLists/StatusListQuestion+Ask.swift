// SPDX-License-Identifier: MIT

import PortcullisTransport

extension StatusListQuestion {
    /// Loads the list, and calls a closure once: on the caller's event loop, or on any thread if the caller
    /// runs on none.
    ///
    /// Calls it at once if the list must not be fetched yet.
    package func ask(_ finish: @escaping @Sendable () -> Void) {
        let finish = EventLoop.returning { (_: Void) in finish() }
        lists.obtain(list, from: source) { finish(()) }
    }
}
