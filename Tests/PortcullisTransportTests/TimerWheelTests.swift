// SPDX-License-Identifier: MIT

import PortcullisTransport
import Testing

@Suite("Timer wheel")
struct TimerWheelTests {
    @Test func `an entry is returned at its tick and not before`() {
        var wheel = TimerWheel(at: 100)
        let due = wheel.insert(7, at: 105)
        #expect(due == 105)
        #expect(wheel.advance(to: 104).isEmpty)
        #expect(wheel.advance(to: 105) == [7])
        #expect(wheel.isEmpty)
    }

    @Test func `an entry for the past is returned at the next tick`() {
        var wheel = TimerWheel(at: 100)
        #expect(wheel.insert(7, at: 3) == 101)
        #expect(wheel.advance(to: 101) == [7])
    }

    @Test func `an entry beyond the ring is returned early, at the announced tick`() {
        var wheel = TimerWheel(at: 100)
        let due = wheel.insert(7, at: 1_000_000)
        #expect(due > 1000 && due < 1_000_000)
        #expect(wheel.advance(to: due - 1).isEmpty)
        #expect(wheel.advance(to: due) == [7])
    }

    @Test func `no entry is returned twice`() {
        var wheel = TimerWheel(at: 0)
        _ = wheel.insert(1, at: 5)
        #expect(wheel.advance(to: 5) == [1])
        #expect(wheel.advance(to: 5).isEmpty)
        #expect(wheel.advance(to: 5000).isEmpty)
    }

    @Test func `a jump over the whole ring returns everything`() {
        var wheel = TimerWheel(at: 0)
        for entry in 1...50 as ClosedRange<UInt64> { _ = wheel.insert(entry, at: entry * 20) }
        #expect(wheel.advance(to: 1_000_000).sorted() == Array(1...50))
        #expect(wheel.isEmpty)
    }

    @Test func `the next tick is the first entry's`() {
        var wheel = TimerWheel(at: 0)
        #expect(wheel.nextTick == nil)
        _ = wheel.insert(1, at: 900)
        _ = wheel.insert(2, at: 30)
        #expect(wheel.nextTick == 30)
        _ = wheel.advance(to: 30)
        #expect(wheel.nextTick == 900)
        _ = wheel.advance(to: 900)
        #expect(wheel.nextTick == nil)
    }

    @Test func `time that stops or goes back changes nothing`() {
        var wheel = TimerWheel(at: 100)
        _ = wheel.insert(1, at: 110)
        #expect(wheel.advance(to: 100).isEmpty)
        #expect(wheel.advance(to: 50).isEmpty)
        #expect(wheel.nextTick == 110)
    }

    @Test func `an instant's tick is not before it, and the current tick is not after it`() {
        let length = UInt64(1) << TimerWheel.tickShift
        #expect(TimerWheel.tick(notBefore: MonotonicInstant(nanoseconds: length)) == 1)
        #expect(TimerWheel.tick(notBefore: MonotonicInstant(nanoseconds: length + 1)) == 2)
        #expect(TimerWheel.tick(at: MonotonicInstant(nanoseconds: 2 * length - 1)) == 1)
    }
}
