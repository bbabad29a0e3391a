// SPDX-License-Identifier: MIT

internal import Dispatch

/// What a descriptor has become ready for.
package struct Readiness: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Bytes, an end of stream or an error can be read.
    package static let readable = Readiness(rawValue: 1)
    /// Bytes can be written, or the attempt will tell why not.
    package static let writable = Readiness(rawValue: 2)
    /// The peer has shut down its side, or the connection is broken.
    package static let closedByPeer = Readiness(rawValue: 4)
}

/// Whoever owns a descriptor that an event loop watches.
///
/// Both are called on the loop.
package protocol ReadinessHandler: AnyObject, Sendable {
    /// The descriptor became ready. Told once for each direction: the next time comes after a system call has said that it
    /// would block and ``EventLoop/rearm(_:for:)`` was called.
    func ready(_ readiness: Readiness)

    /// The deadline that was set with ``EventLoop/setDeadline(_:for:)`` has passed.
    func deadlinePassed()
}

/// How an event loop learns that descriptors are ready.
///
/// Used on the loop's queue alone.
protocol ReadinessSet: AnyObject {
    /// Begins to watch a descriptor in both directions.
    func add(_ descriptor: Int32, generation: UInt32) throws(SocketError)
    /// Asks to be told again, after a call on the descriptor has said that it would block.
    func rearm(_ descriptor: Int32, for directions: Readiness)
    /// Stops watching and closes the descriptor, as soon as that is safe.
    func close(_ descriptor: Int32)
    /// Finds out what is ready, up to a batch, and says how many events that are.
    ///
    /// - Parameter wait: Milliseconds to wait if nothing is ready. Whoever cannot wait takes zero.
    func poll(wait: Int32) -> Int
    /// Gives the events that the last poll has found to the loop.
    func deliver(_ count: Int, to loop: EventLoop)
    /// Ends the waiting of a poll. Called from any thread.
    var wake: @Sendable () -> Void { get }
    /// Lets go of everything. The loop is at its end.
    func invalidate()
}

/// Which of the two implementations a loop uses.
package enum ReadinessKind: Sendable, CaseIterable {
    #if os(Linux)
        /// One epoll descriptor a loop, itself watched by one Dispatch source.
        case epoll
    #endif
    /// Two Dispatch sources a descriptor: slower, and everywhere to be had.
    case dispatchSources

    /// The fastest that the platform has.
    package static var preferred: ReadinessKind {
        #if os(Linux)
            .epoll
        #else
            .dispatchSources
        #endif
    }
}
