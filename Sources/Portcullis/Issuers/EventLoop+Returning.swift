// SPDX-License-Identifier: MIT

import PortcullisTransport

extension EventLoop {
    /// A closure that calls another on the event loop of the moment, or wherever it is called where there is none.
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
