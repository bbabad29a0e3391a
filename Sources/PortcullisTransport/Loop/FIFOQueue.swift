// SPDX-License-Identifier: MIT

/// A queue: elements leave in the order in which they came.
///
/// Each operation at the ends takes constant time on average. An element that has left is released at once.
package struct FIFOQueue<Element> {
    /// The elements from `head` on; `nil` before.
    @usableFromInline package var elements: [Element?] = []
    @usableFromInline package var head = 0

    /// How many elements have to have left before the others move to the front, and how much room an empty queue keeps.
    @usableFromInline package static var compactionCount: Int { 32 }
    @usableFromInline package static var keptCapacity: Int { 1024 }

    /// Makes an empty queue.
    @inlinable package init() {}

    /// Whether there is no element.
    @inlinable package var isEmpty: Bool { head == elements.count }
    /// How many elements there are.
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

    /// Takes the first element; `nil` if there is none.
    @inlinable package mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let first = elements[head].take()
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: elements.capacity <= Self.keptCapacity)
            head = 0
        } else if head >= Self.compactionCount, head >= elements.count / 2 {
            // At least as many have left as are moved, so that each is moved once on average.
            elements.removeFirst(head)
            head = 0
        }
        return first
    }

    /// Takes all elements, in order.
    package mutating func removeAll() -> [Element] {
        removeAll { _ in true }
    }

    /// Takes the elements that meet a condition, in order; the others keep theirs.
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

    /// What a function makes of the elements, in order.
    package func compactMap<Result>(_ transform: (Element) -> Result?) -> [Result] {
        elements[head...].compactMap { $0.flatMap(transform) }
    }
}

extension FIFOQueue: Sendable where Element: Sendable {}
