// SPDX-License-Identifier: MIT

import PortcullisTransport
import Synchronization
import Testing

@Suite("Costly work has its share of a turn, and no more", .timeLimit(.minutes(1)))
struct CostlyWorkTests {
    @Test func `it runs in the order in which it came`() {
        let order = Mutex<[Int]>([])
        var queue = CostlyWork()
        for number in 0..<3000 { queue.append { order.withLock { $0.append(number) } } }
        while let work = queue.next() { work() }
        #expect(order.withLock { $0 } == Array(0..<3000))
        #expect(queue.isEmpty)
    }

    @Test func `its share is half of what cheap work took, within the bounds`() {
        #expect(CostlyWork.share(afterNanoseconds: 0) == CostlyWork.minimumNanoseconds)
        #expect(CostlyWork.share(afterNanoseconds: 600_000) == 300_000)
        #expect(CostlyWork.share(afterNanoseconds: 60_000_000_000) == CostlyWork.maximumNanoseconds)
    }

    @Test func `cheap work does not wait for all of it`() async throws {
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

    @Test func `all of it is done, and a task that waits for its share goes on`() async throws {
        let loop = try EventLoop()
        defer { loop.shutDown() }
        let done = Atomic<Int>(0)
        for _ in 0..<2000 { loop.executeCostly { done.add(1, ordering: .relaxed) } }
        await loop.awaitShare()
        #expect(done.load(ordering: .relaxed) == 2000)
    }
}
