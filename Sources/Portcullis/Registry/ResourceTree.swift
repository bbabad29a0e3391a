// SPDX-License-Identifier: MIT

package import PortcullisHTTP

/// Finds the resource with the longest path that a request's path begins with, by whole segments.
///
/// RFC 9728 §3.
package struct ResourceTree: Sendable {
    /// Refers to everything by index, so that a lookup retains nothing.
    private struct Node {
        /// The index of the resource whose path ends here; -1 if there is none.
        let resource: Int32
        /// Whether the identifier ends with a slash, so that only paths below it belong to the resource.
        let endsWithSlash: Bool
        /// Sorted by segment.
        var children: Range<UInt32> = 0..<0
    }

    /// The path of a resource by its segments, without a final slash.
    private struct Item {
        let index: Int
        let segments: [[UInt8]]
        let endsWithSlash: Bool

        init(_ index: Int, _ identifier: ResourceIdentifier) {
            var segments = identifier.path.utf8.dropFirst()
                .split(separator: 0x2F, omittingEmptySubsequences: false)
                .map { Array($0) }
            let isRoot = segments == [[]]
            endsWithSlash = !isRoot && segments.last?.isEmpty ?? false
            if segments.last?.isEmpty ?? false { segments.removeLast() }
            self.index = index
            self.segments = segments
        }
    }

    private var nodes: [Node] = []
    /// The segment that leads to each node.
    private var segments = ByteTable()

    /// - Parameter identifiers: The identifiers of one authority's resources.
    init(_ identifiers: [ResourceIdentifier]) {
        add([([], identifiers.enumerated().map { Item($0, $1) })], depth: 0)
    }

    /// Adds sibling nodes and their subtrees.
    private mutating func add(_ siblings: [(segment: [UInt8], items: [Item])], depth: Int) {
        let first = nodes.count
        for sibling in siblings {
            // Resources that differ only in their query share the routes of the first.
            let item = sibling.items.first { $0.segments.count == depth }
            segments.append(sibling.segment)
            nodes.append(
                Node(
                    resource: item.map { Int32($0.index) } ?? -1,
                    endsWithSlash: item?.endsWithSlash ?? false))
        }
        for (place, sibling) in zip(first..., siblings) {
            let deeper = Dictionary(grouping: sibling.items.filter { $0.segments.count > depth }) {
                $0.segments[depth]
            }
            let start = nodes.count
            nodes[place].children = UInt32(start)..<UInt32(start + deeper.count)
            add(
                deeper.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) },
                depth: depth + 1)
        }
    }

    /// - Returns: The index of the resource, or `nil`, and what follows the resource's path in the request's.
    package func owner(of path: PathSegments) -> (resource: Int?, rest: PathSegments) {
        var following = path
        var rest = path
        var owner = nodes[0].resource
        var place = 0
        while let segment = following.next() {
            let children = nodes[place].children
            let part = Int(children.lowerBound)..<Int(children.upperBound)
            guard let found = segments.index(of: following[segment], in: part) else { break }
            place = found
            guard nodes[place].resource >= 0, !nodes[place].endsWithSlash || !following.isAtEnd
            else { continue }
            owner = nodes[place].resource
            rest = following
        }
        return (owner < 0 ? nil : Int(owner), rest)
    }
}
