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

    /// Sorted by ``ByteOrder``.
    private let paths: ByteTable
    /// The index of the document at each path.
    private let documents: [UInt32]
    /// The paths at and below which there are only documents.
    private let reservedPaths: [[UInt8]]
    /// Whether some document is outside `/.well-known/`, so that every path must be looked up.
    private let hasPlacesElsewhere: Bool

    private static let wellKnown = Array("/.well-known/".utf8)

    init(_ paths: [(path: String, document: Int)], reservedPaths: Set<String>) {
        let sorted = paths.map { (path: Array($0.path.utf8), document: $0.document) }
            .sorted { $0.path.lexicographicallyPrecedes($1.path) }
        self.paths = ByteTable(sorted.lazy.map(\.path))
        documents = sorted.map { UInt32($0.document) }
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
        if let index = bytes.withUnsafeBytes({ paths.index(of: $0, in: documents.indices) }) {
            return .document(Int(documents[index]))
        }
        let isReserved = isWellKnown && reservedPaths.contains { Self.isAtOrBelow($0, bytes) }
        return isReserved ? .reserved : nil
    }

    private static func isAtOrBelow(_ reserved: [UInt8], _ path: ArraySlice<UInt8>) -> Bool {
        guard path.starts(with: reserved) else { return false }
        let end = path.startIndex + reserved.count
        return end == path.endIndex || path[end] == 0x2F
    }
}
