// SPDX-License-Identifier: MIT

internal import Dispatch

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Calls closures on signals, for as long as the object lives.
package final class SignalHandlers {
    private let sources: [any DispatchSourceSignal]
    /// The signals that do again what they do by default, once the object is gone.
    private let restored: [Int32]

    /// Blocks its thread until the handlers are in place: a signal before that would be lost.
    ///
    /// The closures run one at a time on a queue of their own.
    ///
    /// - Parameter restoresDefaults: Whether the signals do again what they do by default, once the object is
    ///   gone; otherwise they are ignored then.
    package init(
        _ handlers: [(number: Int32, handle: @Sendable () -> Void)], restoresDefaults: Bool
    ) {
        let queue = DispatchQueue(label: "signals")
        let registered = DispatchGroup()
        sources = handlers.map { number, handle in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler(handler: handle)
            registered.enter()
            source.setRegistrationHandler { registered.leave() }
            source.activate()
            return source
        }
        restored = restoresDefaults ? handlers.map(\.number) : []
        registered.wait()
    }

    deinit {
        for source in sources { source.cancel() }
        for number in restored { signal(number, SIG_DFL) }
    }

    /// Lets a signal do again what it does by default.
    package static func restore(_ number: Int32) { signal(number, SIG_DFL) }
}
