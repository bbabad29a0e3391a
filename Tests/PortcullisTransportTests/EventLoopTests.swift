// SPDX-License-Identifier: MIT

import CPlatform
import PortcullisTransport
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("Event loop", .timeLimit(.minutes(1)))
struct EventLoopTests {
    /// A pair of connected sockets; the loop watches one.
    final class Watcher: ReadinessHandler {
        enum Event: Sendable, Equatable { case ready(Readiness), deadline }

        let loop: EventLoop
        let ours: Int32
        let theirs: Int32
        let events: AsyncStream<Event>
        private let continuation: AsyncStream<Event>.Continuation

        init(_ loop: EventLoop) {
            self.loop = loop
            var pair: [Int32] = [0, 0]
            socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair)
            ours = pair[0]
            theirs = pair[1]
            _ = fcntl(ours, F_SETFL, O_NONBLOCK)
            (events, continuation) = AsyncStream.makeStream()
        }

        func ready(_ readiness: Readiness) { continuation.yield(.ready(readiness)) }
        func deadlinePassed() { continuation.yield(.deadline) }

        func onLoop(_ work: @escaping @Sendable (EventLoop, Int32) throws -> Void) async throws {
            try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
                loop.execute { [self] in done.resume(with: Result { try work(loop, ours) }) }
            }
        }

        func watch() async throws {
            try await onLoop { [self] loop, descriptor in try loop.watch(descriptor, self) }
        }

        func close() async throws {
            try await onLoop { loop, descriptor in loop.close(descriptor) }
            _ = closeDescriptor(theirs)
        }

        func waitUntilReadable() async {
            for await event in events {
                if case .ready(let readiness) = event, readiness.contains(.readable) { return }
            }
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `work runs on the loop, and the loop detects that`(readiness: ReadinessKind) async throws {
        let loop = try EventLoop(readiness: readiness)
        #expect(EventLoop.current == nil)
        let (isCurrent, isFound) = await withCheckedContinuation { done in
            loop.execute { done.resume(returning: (loop.isCurrent, EventLoop.current === loop)) }
        }
        #expect(isCurrent && isFound)
        loop.shutDown()
    }

    @Test(arguments: ReadinessKind.allCases)
    func `tasks that prefer the loop run on it, also after they have suspended`(readiness: ReadinessKind)
        async throws
    {
        let loop = try EventLoop(readiness: readiness)
        let wasCurrent = await Task(executorPreference: loop) {
            let before = loop.isCurrent
            await Task.yield()
            return before && loop.isCurrent
        }.value
        #expect(wasCurrent)
        loop.shutDown()
    }

    @Test(arguments: ReadinessKind.allCases)
    func `readable bytes are reported once, and again after rearming`(readiness: ReadinessKind) async throws {
        let watcher = Watcher(try EventLoop(readiness: readiness))
        try await watcher.watch()
        for _ in 0..<3 {
            var byte: UInt8 = 1
            _ = write(watcher.theirs, &byte, 1)
            await watcher.waitUntilReadable()
            try await watcher.onLoop { loop, descriptor in
                var buffer: UInt8 = 0
                while recv(descriptor, &buffer, 1, 0) > 0 {}
                loop.rearm(descriptor, for: .readable)
            }
        }
        try await watcher.close()
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a deadline fires, not before its time`(readiness: ReadinessKind) async throws {
        let watcher = Watcher(try EventLoop(readiness: readiness))
        try await watcher.watch()
        let start = MonotonicInstant.now()
        try await watcher.onLoop { loop, descriptor in
            loop.setDeadline(start + .milliseconds(50), for: descriptor)
        }
        #expect(await watcher.events.contains(.deadline))
        #expect(MonotonicInstant.now() - start >= .milliseconds(50))
        try await watcher.close()
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a postponed deadline fires at the later time`(readiness: ReadinessKind) async throws {
        let watcher = Watcher(try EventLoop(readiness: readiness))
        try await watcher.watch()
        let start = MonotonicInstant.now()
        try await watcher.onLoop { loop, descriptor in
            loop.setDeadline(start + .milliseconds(40), for: descriptor)
            loop.setDeadline(start + .milliseconds(160), for: descriptor)
        }
        #expect(await watcher.events.contains(.deadline))
        #expect(MonotonicInstant.now() - start >= .milliseconds(160))
        try await watcher.close()
    }

    @Test(arguments: ReadinessKind.allCases)
    func `an advanced deadline fires at the earlier time`(readiness: ReadinessKind) async throws {
        let watcher = Watcher(try EventLoop(readiness: readiness))
        try await watcher.watch()
        let start = MonotonicInstant.now()
        try await watcher.onLoop { loop, descriptor in
            loop.setDeadline(start + .seconds(3600), for: descriptor)
            loop.setDeadline(start + .milliseconds(40), for: descriptor)
        }
        #expect(await watcher.events.contains(.deadline))
        #expect(MonotonicInstant.now() - start < .seconds(60))
        try await watcher.close()
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a removed deadline does not fire`(readiness: ReadinessKind) async throws {
        let loop = try EventLoop(readiness: readiness)
        let (cancelled, witness) = (Watcher(loop), Watcher(loop))
        try await cancelled.watch()
        try await witness.watch()
        let start = MonotonicInstant.now()
        try await cancelled.onLoop { loop, descriptor in
            loop.setDeadline(start + .milliseconds(30), for: descriptor)
            loop.setDeadline(.distantFuture, for: descriptor)
        }
        // The witness's deadline is later: when it has fired, the other would have fired, too.
        try await witness.onLoop { loop, descriptor in
            loop.setDeadline(start + .milliseconds(120), for: descriptor)
        }
        #expect(await witness.events.contains(.deadline))
        try await cancelled.onLoop { [cancelled] _, _ in cancelled.ready(.closedByPeer) }
        for await event in cancelled.events {
            #expect(event != .deadline)
            if event == .ready(.closedByPeer) { break }
        }
        try await cancelled.close()
        try await witness.close()
    }

    @Test(arguments: ReadinessKind.allCases)
    func `the successor of a closed descriptor gets none of its events`(readiness: ReadinessKind) async throws
    {
        let loop = try EventLoop(readiness: readiness)
        let first = Watcher(loop)
        try await first.watch()
        let start = MonotonicInstant.now()
        try await first.onLoop { loop, descriptor in
            loop.setDeadline(start + .milliseconds(30), for: descriptor)
        }
        try await first.close()
        let second = Watcher(loop)
        try await second.watch()
        try await second.onLoop { loop, descriptor in
            loop.setDeadline(start + .milliseconds(300), for: descriptor)
        }
        #expect(await second.events.contains(.deadline))
        #expect(MonotonicInstant.now() - start >= .milliseconds(300))
        try await second.close()
    }
}
