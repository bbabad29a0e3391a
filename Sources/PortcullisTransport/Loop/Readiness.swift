// SPDX-License-Identifier: MIT

internal import Dispatch

/// The operations that a descriptor is ready for.
package struct Readiness: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Bytes, an end of stream or an error can be read.
    package static let readable = Readiness(rawValue: 1)
    /// Bytes can be written, or a write will return the error.
    package static let writable = Readiness(rawValue: 2)
    /// The peer has shut down its side, or the connection is broken.
    package static let closedByPeer = Readiness(rawValue: 4)
}

/// The owner of a descriptor that an event loop watches.
///
/// The loop calls both methods on itself.
package protocol ReadinessHandler: AnyObject, Sendable {
    /// The descriptor became ready. Called once for each direction; again only after a system call would have
    /// blocked and ``EventLoop/rearm(_:for:)`` was called.
    func ready(_ readiness: Readiness)

    /// The deadline that was set with ``EventLoop/setDeadline(_:for:)`` has passed.
    func deadlinePassed()
}

/// Reports to an event loop which descriptors are ready.
///
/// Used only on the loop's queue.
protocol ReadinessSet: AnyObject {
    /// Starts to watch a descriptor in both directions.
    func add(_ descriptor: Int32, generation: UInt32) throws(SocketError)
    /// Requests the next event, after a call on the descriptor would have blocked.
    func rearm(_ descriptor: Int32, for directions: Readiness)
    /// Stops watching and closes the descriptor, as soon as that is safe.
    func close(_ descriptor: Int32)
    /// Polls for a batch of events, and returns their number.
    ///
    /// - Parameter wait: Milliseconds to wait if nothing is ready; zero means not to wait.
    func poll(wait: Int32) -> Int
    /// Delivers the events of the last poll to the loop.
    func deliver(_ count: Int, to loop: EventLoop)
    /// Ends a waiting poll. Callable from any thread.
    var wake: @Sendable () -> Void { get }
    /// Releases everything when the loop ends.
    func invalidate()
}

/// The readiness implementation that a loop uses.
package enum ReadinessKind: Sendable, CaseIterable {
    #if os(Linux)
        /// One epoll descriptor for each loop, watched by one Dispatch source.
        case epoll
    #endif
    /// Two Dispatch sources for each descriptor: slower, but available everywhere.
    case dispatchSources

    /// The fastest implementation on this platform.
    package static var preferred: ReadinessKind {
        #if os(Linux)
            .epoll
        #else
            .dispatchSources
        #endif
    }
}
