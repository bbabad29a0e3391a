// SPDX-License-Identifier: MIT

/// The documents of one authority's resources with their paths, and the conflicts among them.
///
/// RFC 9728 §2, §3.
struct PublishedDocuments {
    private typealias Candidate = PublishedDocument.Candidate

    /// One document for each percent-normalised path.
    let documents: [(path: String, document: PublishedDocument)]
    /// The paths at and below which only documents are served.
    let reservedPaths: Set<String>
    /// The conflicts, one sentence each.
    let problems: [String]

    init(_ resources: [ProtectedResource]) {
        var metadata: [String: [Candidate]] = [:]
        for resource in resources {
            for place in resource.metadataLocations.places {
                for path in place.paths {
                    metadata[path, default: []].append(Candidate(resource: resource, place: place))
                }
            }
        }
        let keys = Dictionary(grouping: resources.filter { $0.keysPath != nil }) { $0.keysPath ?? "" }
        var documents = metadata.mapValues { PublishedDocument.metadata($0) }
        for (path, resources) in keys where documents[path] == nil { documents[path] = .keys(resources) }
        Self.addMirrors(of: resources, to: &documents)
        self.documents = documents.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        reservedPaths = Set(resources.flatMap(\.metadataLocations.reservedPaths) + [WellKnownLocation.root])
        problems = Self.sharedPlaces(metadata) + Self.takenPlaces(keys, resources, metadata)
    }

    /// Adds the metadata of authorization servers at the resource's origin, for clients of MCP authorization
    /// 2025-03-26.
    private static func addMirrors(
        of resources: [ProtectedResource], to documents: inout [String: PublishedDocument]
    ) {
        let root = "/.well-known/oauth-authorization-server"
        for resource in resources where resource.mirrorsAuthorizationServer {
            let path = resource.identifier.path
            let suffix = path.utf8.last == 0x2F ? String(path.dropLast()) : path
            for place in [root + suffix, root] where documents[place] == nil {
                documents[place] = .authorizationServer(of: resource)
            }
        }
    }

    /// The conflicts of documents at the same location, such as two root aliases.
    private static func sharedPlaces(_ metadata: [String: [Candidate]]) -> [String] {
        metadata.sorted { $0.key < $1.key }.flatMap { path, sharing in
            sharing.indices.compactMap { index in
                let candidate = sharing[index]
                let rival = sharing[..<index].first { $0.place.query == candidate.place.query }
                // Colliding identifiers are reported separately.
                guard let rival, !rival.resource.identifier.collides(with: candidate.resource.identifier)
                else { return nil }
                return "two resources would have their metadata at \(path): \(rival.resource.identifier) and "
                    + "\(candidate.resource.identifier)"
            }
        }
    }

    /// The conflicts of a `jwks_uri` with another document, or with a resource's own path.
    private static func takenPlaces(
        _ keys: [String: [ProtectedResource]], _ resources: [ProtectedResource],
        _ metadata: [String: [Candidate]]
    ) -> [String] {
        guard !keys.isEmpty else { return [] }
        let paths = Set(resources.map(\.identifier.path))
        return keys.sorted { $0.key < $1.key }.compactMap { path, sharing in
            let isTaken = metadata[path] != nil || paths.contains(path)
            return isTaken || path.utf8.count <= 1
                ? "\(sharing[0].identifier): the path of its jwks_uri is in use already" : nil
        }
    }

    /// Returns a sentence for each pair of resources that can't be distinguished.
    ///
    /// Two equal resources would have one metadata location. RFC 9728 §3.1.
    static func collisions(among identifiers: [ResourceIdentifier]) -> [String] {
        var problems: [String] = []
        var seen: [String: [ResourceIdentifier]] = [:]
        for identifier in identifiers {
            let key = identifier.authority + identifier.wellKnownLocation.pathWithoutSlash
            for other in seen[key] ?? [] where identifier.collides(with: other) {
                problems.append(
                    "two resources would have the same metadata location: \(other) and \(identifier)")
            }
            seen[key, default: []].append(identifier)
        }
        return problems
    }
}
