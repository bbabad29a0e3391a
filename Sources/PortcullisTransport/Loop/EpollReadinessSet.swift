// SPDX-License-Identifier: MIT

#if os(Linux)
    internal import CPlatform
    internal import Dispatch
    internal import Glibc

    /// Readiness in batches from an edge-triggered epoll descriptor, watched by one Dispatch source.
    ///
    /// Dispatch provides threads and wake-ups; epoll saves a source and a wake-up for each connection.
    final class EpollReadinessSet: ReadinessSet {
        private static let batch = 256

        private let epoll: Int32
        /// A write to it ends a waiting poll.
        private let waker: Int32
        let wake: @Sendable () -> Void
        private let source: any DispatchSourceRead
        // SAFETY: one system call at a time fills it, and it is read after that returned; turns do not nest.
        @exclusivity(unchecked) private var events = [epoll_event](
            repeating: epoll_event(), count: EpollReadinessSet.batch)

        init(queue: DispatchQueue, turn: @escaping @Sendable () -> Void) throws(SocketError) {
            let descriptor = epoll_create1(CPLATFORM_EPOLL_CLOEXEC)
            guard descriptor >= 0 else { throw SocketError(call: .epoll, code: errno) }
            let waker = eventfd(0, Int32(CPLATFORM_EFD_NONBLOCK | CPLATFORM_EFD_CLOEXEC))
            guard waker >= 0 else {
                _ = Glibc.close(descriptor)
                throw SocketError(call: .epoll, code: errno)
            }
            epoll = descriptor
            self.waker = waker
            wake = { _ = eventfd_write(waker, 1) }
            source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
            source.setEventHandler(handler: turn)
            source.setCancelHandler {
                _ = Glibc.close(descriptor)
                _ = Glibc.close(waker)
            }
            source.resume()
            var event = epoll_event()
            event.events = CPLATFORM_EPOLLIN
            event.data.u64 = UInt64.max
            guard epoll_ctl(epoll, EPOLL_CTL_ADD, waker, &event) == 0 else {
                throw SocketError(call: .epoll, code: errno)
            }
        }

        func add(_ descriptor: Int32, generation: UInt32) throws(SocketError) {
            var event = epoll_event()
            event.events = CPLATFORM_EPOLL_EVENTS
            event.data.u64 = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
            guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
                throw SocketError(call: .epoll, code: errno)
            }
        }

        /// Does nothing: after a call would block, the next edge is reported without rearming.
        func rearm(_ descriptor: Int32, for directions: Readiness) {}

        func close(_ descriptor: Int32) {
            _ = Glibc.close(descriptor)
        }

        func poll(wait: Int32) -> Int {
            max(0, Int(epoll_wait(epoll, &events, Int32(Self.batch), wait)))
        }

        func deliver(_ count: Int, to loop: EventLoop) {
            for index in 0..<count {
                let data = events[index].data.u64
                guard data != .max else {
                    var value = eventfd_t()
                    _ = eventfd_read(waker, &value)
                    continue
                }
                loop.deliver(
                    Self.readiness(events[index].events), to: Int32(truncatingIfNeeded: data),
                    generation: UInt32(truncatingIfNeeded: data >> 32))
            }
        }

        func invalidate() {
            source.cancel()
        }

        @inline(__always)
        private static func readiness(_ events: UInt32) -> Readiness {
            var readiness: Readiness = []
            if events & (CPLATFORM_EPOLLIN | CPLATFORM_EPOLLRDHUP | CPLATFORM_EPOLLHUP | CPLATFORM_EPOLLERR)
                != 0
            {
                readiness.insert(.readable)
            }
            if events & (CPLATFORM_EPOLLOUT | CPLATFORM_EPOLLHUP | CPLATFORM_EPOLLERR) != 0 {
                readiness.insert(.writable)
            }
            if events & (CPLATFORM_EPOLLRDHUP | CPLATFORM_EPOLLHUP | CPLATFORM_EPOLLERR) != 0 {
                readiness.insert(.closedByPeer)
            }
            return readiness
        }
    }
#endif
