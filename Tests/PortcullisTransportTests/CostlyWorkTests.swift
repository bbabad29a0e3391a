// SPDX-License-Identifier: MIT

import PortcullisTransport
import Synchronization
import Testing

@Suite("Costly work gets its share of a turn, and no more", .timeLimit(.minutes(1)))
struct CostlyWorkTests {
    @Test func `costly work runs in order of arrival`() {
        let order = Mutex<[Int]>([])
        var queue = CostlyWork()
        for number in 0..<3000 { queue.append { order.withLock { $0.append(number) } } }
        while let work = queue.next() { work() }
        #expect(order.withLock { $0 } == Array(0..<3000))
        #expect(queue.isEmpty)
    }

    @Test func `its share is a third of the cheap work's time, within the bounds`() {
        func share(_ spent: UInt64) -> UInt64 {
            var queue = CostlyWork()
            queue.append {}
            return queue.beginShare(
                spent: spent, cheapEvents: 1, at: MonotonicInstant(nanoseconds: 1_000_000_000))
        }
        #expect(share(0) == CostlyWork.minimumNanoseconds)
        #expect(share(600_000) == 200_000)
        #expect(share(60_000_000_000) == CostlyWork.maximumNanoseconds)
    }

    @Test func `its share is the whole turn when nothing else has run for a while`() {
        var queue = CostlyWork()
        var now = MonotonicInstant(nanoseconds: 1_000_000_000)
        func share(cheapEvents: Int) -> UInt64 {
            queue.beginShare(spent: 0, cheapEvents: cheapEvents, at: now)
        }
        #expect(share(cheapEvents: 0) == CostlyWork.maximumNanoseconds)
        #expect(share(cheapEvents: 1) == CostlyWork.minimumNanoseconds)
        now = now + (CostlyWork.memory - .nanoseconds(1))
        #expect(share(cheapEvents: 0) == CostlyWork.minimumNanoseconds)
        now = now + .nanoseconds(1)
        #expect(share(cheapEvents: 0) == CostlyWork.maximumNanoseconds)
    }

    @Test func `cheap work does not wait for all costly work`() async throws {
        let loop = try EventLoop()
        defer { loop.shutDown() }
        let done = Atomic<Int>(0)
        let doneBefore = await withCheckedContinuation { continuation in
            loop.execute {
                for _ in 0..<1000 {
                    loop.executeCostly {
                        let start = MonotonicInstant.now()
                        while MonotonicInstant.now() - start < .microseconds(20) {}
                        done.add(1, ordering: .relaxed)
                    }
                }
                loop.executeLater { continuation.resume(returning: done.load(ordering: .relaxed)) }
            }
        }
        #expect(doneBefore < 1000)
    }

    @Test func `other work gets its turn while costly work never ends`() async throws {
        let loop = try EventLoop()
        defer { loop.shutDown() }
        let isDone = Atomic<Bool>(false)
        // Each piece adds the next one, as pipelined requests do.
        @Sendable func work() {
            let start = MonotonicInstant.now()
            while MonotonicInstant.now() - start < .microseconds(20) {}
            if !isDone.load(ordering: .relaxed) { loop.executeCostly(work) }
        }
        loop.executeCostly(work)
        // If each of these took one more resumption, the last would wait for all of them.
        for _ in 0..<100 {
            await withCheckedContinuation { continuation in loop.execute { continuation.resume() } }
        }
        isDone.store(true, ordering: .relaxed)
    }

    @Test func `all costly work runs, and a task that waits for its share resumes`() async throws {
        let loop = try EventLoop()
        defer { loop.shutDown() }
        let done = Atomic<Int>(0)
        for _ in 0..<2000 { loop.executeCostly { done.add(1, ordering: .relaxed) } }
        await loop.awaitShare()
        #expect(done.load(ordering: .relaxed) == 2000)
    }
}
