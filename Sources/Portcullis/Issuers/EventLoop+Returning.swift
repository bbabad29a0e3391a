// SPDX-License-Identifier: MIT

import PortcullisTransport

extension EventLoop {
    /// Returns a closure that calls another on the current event loop, or directly if there is none.
    static func returning<Value: Sendable>(
        _ finish: @escaping @Sendable (Value) -> Void
    ) -> @Sendable (Value) -> Void {
        guard let loop = EventLoop.current else { return finish }
        return { value in
            guard !loop.isCurrent else { return finish(value) }
            loop.execute { finish(value) }
        }
    }
}
