// SPDX-License-Identifier: MIT

internal import CPlatform

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Whether the peer of a connection is still there, whatever of its bytes has not been read.
package enum PeerState: Sendable, Hashable {
    case present
    /// It has ended its side, and may wait for an answer.
    ///
    /// Told on Linux alone.
    case ended
    /// The connection is broken.
    case gone

    /// Asks the system, without waiting.
    package init(of descriptor: Int32) {
        var watched = pollfd(fd: descriptor, events: CPLATFORM_POLLRDHUP, revents: 0)
        guard poll(&watched, 1, 0) > 0 else {
            self = .present
            return
        }
        let isGone = watched.revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0
        self = isGone ? .gone : .ended
    }
}
