// SPDX-License-Identifier: MIT

import PortcullisTransport
import Testing

@Suite("A queue returns its elements in order", .timeLimit(.minutes(1)))
struct FIFOQueueTests {
    @Test(arguments: [1, 3, 31, 32, 33, 1000, 5000])
    func `appended elements leave in order, while others are appended`(count: Int) {
        var queue = FIFOQueue<Int>()
        var next = 0
        for number in 0..<count {
            queue.append(2 * number)
            queue.append(2 * number + 1)
            #expect(queue.count == 2 * (number + 1) - next)
            #expect(queue.popFirst() == next)
            next += 1
        }
        while let element = queue.popFirst() {
            #expect(element == next)
            next += 1
        }
        #expect(next == 2 * count)
        #expect(queue.isEmpty)
        #expect(queue.popFirst() == nil)
    }

    @Test func `a prepended element is first, whether or not others have left`() {
        var queue = FIFOQueue<Int>()
        queue.prepend(1)
        queue.append(2)
        queue.prepend(0)
        #expect(queue.popFirst() == 0)
        queue.prepend(5)
        #expect(queue.removeAll() == [5, 1, 2])
        #expect(queue.isEmpty)
    }

    @Test func `elements that match a condition are removed, and the others keep their order`() {
        var queue = FIFOQueue<Int>()
        for number in 0..<10 { queue.append(number) }
        _ = queue.popFirst()
        #expect(queue.removeAll { $0.isMultiple(of: 3) } == [3, 6, 9])
        #expect(queue.removeAll { $0 > 100 } == [])
        #expect(queue.count == 6)
        #expect(queue.compactMap { $0 > 4 ? $0 : nil } == [5, 7, 8])
        #expect(queue.removeAll() == [1, 2, 4, 5, 7, 8])
        #expect(queue.removeAll() == [])
    }

    @Test func `a removed element is released`() {
        final class Token {}
        var queue = FIFOQueue<Token>()
        weak var released: Token?
        do {
            let token = Token()
            released = token
            queue.append(token)
            queue.append(Token())
        }
        #expect(released != nil)
        _ = queue.popFirst()
        #expect(released == nil)
        #expect(queue.count == 1)
    }

    @Test func `a queue that is never empty does not grow with removed elements`() {
        var queue = FIFOQueue<Int>()
        for number in 0..<100 { queue.append(number) }
        for number in 0..<100_000 {
            queue.append(number + 100)
            #expect(queue.popFirst() == number)
        }
        #expect(queue.elements.count <= 2 * 100 + 32)
    }
}
