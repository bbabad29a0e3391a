// SPDX-License-Identifier: MIT

internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A fixed number of event loops, returned in turn.
package final class EventLoopGroup: Sendable {
    package let loops: [EventLoop]
    private let turn = Atomic<Int>(0)

    /// Makes `count` loops, by default one for each processor core.
    package init(count: Int? = nil, readiness: ReadinessKind = .preferred) throws(SocketError) {
        var loops: [EventLoop] = []
        for index in 0..<max(1, count ?? Self.coreCount) {
            loops.append(try EventLoop(index: index, readiness: readiness))
        }
        self.loops = loops
    }

    /// The loop that is next in turn.
    package func next() -> EventLoop {
        loops[(turn.wrappingAdd(1, ordering: .relaxed).oldValue & Int.max) % loops.count]
    }

    package func shutDown() {
        for loop in loops { loop.shutDown() }
    }

    package static var coreCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}
