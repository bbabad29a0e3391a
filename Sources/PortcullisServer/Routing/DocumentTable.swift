// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP

/// The documents that one authority serves about its resources, by path: never after a gate.
///
/// RFC 9728 §3.
struct DocumentTable: Sendable {
    /// Sorted by ``ByteOrder``.
    private let routes: [(path: [UInt8], route: CompiledRoute)]
    /// The paths at and below which there are only documents.
    private let reservedPaths: [[UInt8]]
    /// Whether some document is outside `/.well-known/`, so that every path must be looked up.
    private let hasPlacesElsewhere: Bool
    /// 404 for a reserved path without a document.
    private let noDocument: CompiledRoute

    static let wellKnown = Array("/.well-known/".utf8)

    init(_ routes: [String: CompiledRoute], reservedPaths: Set<String>, noDocument: CompiledRoute) {
        self.routes = routes.map { (Array($0.key.utf8), $0.value) }
            .sorted { $0.0.lexicographicallyPrecedes($1.0) }
        self.reservedPaths = reservedPaths.sorted().map { Array($0.utf8) }
        hasPlacesElsewhere = routes.keys.contains { !$0.utf8.starts(with: Self.wellKnown) }
        self.noDocument = noDocument
    }

    /// The route of a document, or of its absence; `nil` if the path is not for documents.
    ///
    /// Does not copy the path.
    func route(_ path: RequestPath) -> CompiledRoute? {
        // Most paths differ from `/.well-known/` in their second byte.
        guard hasPlacesElsewhere || path.range.count > 1 && path.bytes[path.range.lowerBound + 1] == 0x2E
        else { return nil }
        let bytes = path.bytes[path.range]
        let isWellKnown = bytes.starts(with: Self.wellKnown)
        guard isWellKnown || hasPlacesElsewhere else { return nil }
        if let route = find(bytes) { return route }
        guard isWellKnown, reservedPaths.contains(where: { Self.lies(bytes, at: $0) }) else { return nil }
        return noDocument
    }

    private func find(_ path: ArraySlice<UInt8>) -> CompiledRoute? {
        path.withUnsafeBytes { path in
            ByteOrder.index(of: path, among: routes.count) { routes[$0].path }.map { routes[$0].route }
        }
    }

    private static func lies(_ path: ArraySlice<UInt8>, at reserved: [UInt8]) -> Bool {
        guard path.starts(with: reserved) else { return false }
        let end = path.startIndex + reserved.count
        return end == path.endIndex || path[end] == 0x2F
    }
}
