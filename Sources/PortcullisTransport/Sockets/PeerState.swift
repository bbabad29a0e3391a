// SPDX-License-Identifier: MIT

internal import CPlatform

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The state of a connection's peer, regardless of unread bytes.
package enum PeerState: Sendable, Hashable {
    case present
    /// The peer has ended its side, and may wait for a response.
    ///
    /// Detected on Linux only.
    case ended
    /// The connection is broken.
    case gone

    /// Queries the system without blocking.
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
