// SPDX-License-Identifier: MIT

/// The documents of one authority's resources with their paths, and the conflicts among them.
///
/// RFC 9728 §2, §3.
struct PublishedDocuments {
    private typealias Candidate = PublishedDocument.Candidate

    let documents: [PublishedDocument]
    /// The percent-normalised paths, and the index of the document at each: mostly two paths of one document,
    /// with and without a slash at the end.
    let paths: [(path: String, document: Int)]
    /// The paths at and below which only documents are served.
    let reservedPaths: Set<String>
    /// The conflicts, one sentence each.
    let problems: [String]

    init(_ resources: [ProtectedResource]) {
        var candidates: [Candidate] = []
        /// The indices of the candidates at each path.
        var sharing: [String: [Int]] = [:]
        var reservedPaths: Set<String> = [WellKnownLocation.root]
        for resource in resources {
            let locations = resource.metadataLocations
            reservedPaths.formUnion(locations.reservedPaths)
            for place in locations.places {
                for path in place.paths { sharing[path, default: []].append(candidates.count) }
                candidates.append(Candidate(resource: resource, query: place.query))
            }
        }
        let keys = Dictionary(grouping: resources.filter { $0.keysPath != nil }) { $0.keysPath ?? "" }
        var others: [String: PublishedDocument] = [:]
        for (path, resources) in keys where sharing[path] == nil { others[path] = .keys(resources) }
        Self.addMirrors(of: resources, to: &others) { sharing[$0] != nil }
        var documents: [PublishedDocument] = []
        var known: [[Int]: Int] = [:]
        var paths: [(path: String, document: Int)] = []
        for (path, indices) in sharing.sorted(by: { $0.key < $1.key }) {
            if known[indices] == nil {
                known[indices] = documents.count
                documents.append(.metadata(indices.map { candidates[$0] }))
            }
            if let document = known[indices] { paths.append((path, document)) }
        }
        for (path, document) in others.sorted(by: { $0.key < $1.key }) {
            paths.append((path, documents.count))
            documents.append(document)
        }
        self.documents = documents
        self.paths = paths
        let metadata = sharing.filter { $0.value.count > 1 }.mapValues { $0.map { candidates[$0] } }
        self.reservedPaths = reservedPaths
        problems = Self.sharedPlaces(metadata) + Self.takenPlaces(keys, resources) { sharing[$0] != nil }
    }

    /// Adds the metadata of authorization servers at the resource's origin, for clients of MCP authorization
    /// 2025-03-26.
    private static func addMirrors(
        of resources: [ProtectedResource], to documents: inout [String: PublishedDocument],
        unless isTaken: (String) -> Bool
    ) {
        let root = "/.well-known/oauth-authorization-server"
        for resource in resources where resource.mirrorsAuthorizationServer {
            let path = resource.identifier.path
            let suffix = path.utf8.last == 0x2F ? String(path.dropLast()) : path
            for place in [root + suffix, root] where documents[place] == nil && !isTaken(place) {
                documents[place] = .authorizationServer(of: resource)
            }
        }
    }

    /// The conflicts of documents at the same location, such as two root aliases.
    private static func sharedPlaces(_ metadata: [String: [Candidate]]) -> [String] {
        metadata.sorted { $0.key < $1.key }.flatMap { path, sharing -> [String] in
            var first: [String?: Candidate] = [:]
            return sharing.compactMap { candidate in
                guard let rival = first[candidate.query] else {
                    first[candidate.query] = candidate
                    return nil
                }
                // Colliding identifiers are reported separately.
                guard !rival.resource.identifier.collides(with: candidate.resource.identifier) else {
                    return nil
                }
                return "two resources would have their metadata at \(path): \(rival.resource.identifier) and "
                    + "\(candidate.resource.identifier)"
            }
        }
    }

    /// The conflicts of a `jwks_uri` with another document, or with a resource's own path.
    private static func takenPlaces(
        _ keys: [String: [ProtectedResource]], _ resources: [ProtectedResource],
        _ isOfMetadata: (String) -> Bool
    ) -> [String] {
        guard !keys.isEmpty else { return [] }
        let paths = Set(resources.map(\.identifier.path))
        return keys.sorted { $0.key < $1.key }.compactMap { path, sharing in
            let isTaken = isOfMetadata(path) || paths.contains(path)
            return isTaken || path.utf8.count <= 1
                ? "\(sharing[0].identifier): the path of its jwks_uri is in use already" : nil
        }
    }

    /// Returns a sentence for each resource that can't be distinguished from an earlier one.
    ///
    /// Two equal resources would have one metadata location. RFC 9728 §3.1.
    static func collisions(among identifiers: [ResourceIdentifier]) -> [String] {
        var first: [ResourceIdentifier.Location: ResourceIdentifier] = [:]
        return identifiers.compactMap { identifier in
            guard let other = first[identifier.location] else {
                first[identifier.location] = identifier
                return nil
            }
            return "two resources would have the same metadata location: \(other) and \(identifier)"
        }
    }
}
