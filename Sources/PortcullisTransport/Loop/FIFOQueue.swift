// SPDX-License-Identifier: MIT

/// A first-in, first-out queue.
///
/// Each operation at the ends takes amortized constant time. A removed element is released at once.
package struct FIFOQueue<Element> {
    /// The elements from `head` on; `nil` before.
    @usableFromInline package var elements: [Element?] = []
    @usableFromInline package var head = 0

    /// The least number of removed elements before the others move to the front.
    @usableFromInline package static var compactionCount: Int { 32 }
    /// The most capacity that an empty queue keeps.
    @usableFromInline package static var keptCapacity: Int { 1024 }

    /// Makes an empty queue.
    @inlinable package init() {}

    /// Whether there is no element.
    @inlinable package var isEmpty: Bool { head == elements.count }
    /// The number of elements.
    @inlinable package var count: Int { elements.count - head }

    /// Adds the last element.
    @inlinable package mutating func append(_ element: Element) {
        elements.append(element)
    }

    /// Adds the first element.
    @inlinable package mutating func prepend(_ element: Element) {
        if head > 0 {
            head -= 1
            elements[head] = element
        } else {
            elements.insert(element, at: 0)
        }
    }

    /// Removes and returns the first element; `nil` if there is none.
    @inlinable package mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let first = elements[head].take()
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: elements.capacity <= Self.keptCapacity)
            head = 0
        } else if head >= Self.compactionCount, head >= elements.count / 2 {
            // At least as many were removed as are moved, so each moves once on average.
            elements.removeFirst(head)
            head = 0
        }
        return first
    }

    /// Removes and returns all elements, in order.
    package mutating func removeAll() -> [Element] {
        removeAll { _ in true }
    }

    /// Removes and returns the elements that meet a condition; both parts keep their order.
    package mutating func removeAll(where isRemoved: (Element) -> Bool) -> [Element] {
        var removed: [Element] = []
        var kept: [Element?] = []
        for case let element? in elements[head...] {
            if isRemoved(element) { removed.append(element) } else { kept.append(element) }
        }
        guard !removed.isEmpty else { return [] }
        elements = kept
        head = 0
        return removed
    }

    /// The non-`nil` results of a function on the elements, in order.
    package func compactMap<Result>(_ transform: (Element) -> Result?) -> [Result] {
        elements[head...].compactMap { $0.flatMap(transform) }
    }
}

extension FIFOQueue: Sendable where Element: Sendable {}
