// SPDX-License-Identifier: MIT

package import PortcullisHTTP

/// Finds the document at a path of one authority: never after a gate.
///
/// RFC 9728 §3.
package struct DocumentTable: Sendable {
    /// What is at a path.
    package enum Match: Sendable, Hashable {
        /// The document with this index.
        case document(Int)
        /// Nothing, and nothing else may be served there.
        case reserved
    }

    /// A path, and the index of the document there.
    private struct Place {
        let path: Range<UInt32>
        let document: UInt32
    }

    /// Sorted by the bytes of their paths.
    private let places: [Place]
    /// The bytes of all paths.
    private let bytes: [UInt8]
    /// The paths at and below which there are only documents.
    private let reservedPaths: [[UInt8]]
    /// Whether some document is outside `/.well-known/`, so that every path must be looked up.
    private let hasPlacesElsewhere: Bool

    private static let wellKnown = Array("/.well-known/".utf8)

    init(_ paths: [(path: String, document: Int)], reservedPaths: Set<String>) {
        let sorted = paths.map { (path: Array($0.path.utf8), document: $0.document) }
            .sorted { $0.path.lexicographicallyPrecedes($1.path) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(sorted.reduce(0) { $0 + $1.path.count })
        places = sorted.map { path, document in
            let start = bytes.count
            bytes += path
            return Place(path: UInt32(start)..<UInt32(bytes.count), document: UInt32(document))
        }
        self.bytes = bytes
        self.reservedPaths = reservedPaths.sorted().map { Array($0.utf8) }
        hasPlacesElsewhere = paths.contains { !$0.path.utf8.starts(with: Self.wellKnown) }
    }

    /// Returns what is at a path, or `nil` if the path is not for documents.
    ///
    /// Does not copy the path.
    package func match(_ path: RequestPath) -> Match? {
        // Most paths differ from `/.well-known/` in their second byte.
        guard hasPlacesElsewhere || path.range.count > 1 && path.bytes[path.range.lowerBound + 1] == 0x2E
        else { return nil }
        let bytes = path.bytes[path.range]
        let isWellKnown = bytes.starts(with: Self.wellKnown)
        guard isWellKnown || hasPlacesElsewhere else { return nil }
        if let index = bytes.withUnsafeBytes({ find($0) }) {
            return .document(Int(places[index].document))
        }
        let isReserved = isWellKnown && reservedPaths.contains { Self.isAtOrBelow($0, bytes) }
        return isReserved ? .reserved : nil
    }

    private func find(_ path: UnsafeRawBufferPointer) -> Int? {
        ByteOrder.index(of: path, among: places.count, in: bytes) {
            let range = places[$0].path
            return Int(range.lowerBound)..<Int(range.upperBound)
        }
    }

    private static func isAtOrBelow(_ reserved: [UInt8], _ path: ArraySlice<UInt8>) -> Bool {
        guard path.starts(with: reserved) else { return false }
        let end = path.startIndex + reserved.count
        return end == path.endIndex || path[end] == 0x2F
    }
}
