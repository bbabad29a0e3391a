// SPDX-License-Identifier: MIT

package import PortcullisHTTP
import PortcullisJOSE

/// The locations of the documents of one authority's resources: their metadata, and the keys that sign it.
///
/// RFC 9728 §2, §3.
package struct PublishedPlaces: Sendable {
    /// A resource whose metadata is at a path, if the request's query matches.
    package struct Candidate: Sendable {
        package let resource: ProtectedResource
        package let place: MetadataLocations.Place
    }

    /// An answer whose body is not sent for `HEAD`.
    package typealias Answer = (head: ResponseHead, body: [UInt8])

    /// The resources by the percent-normalised paths of their metadata.
    package let metadata: [String: [Candidate]]
    /// The resources with signed metadata, by the path of their `jwks_uri`.
    package let keys: [String: [ProtectedResource]]
    /// The paths at and below which only documents are served.
    package let reservedPaths: Set<String>
    /// The conflicts, one sentence each.
    package let problems: [String]

    package init(_ resources: [ProtectedResource]) {
        var candidates: [String: [Candidate]] = [:]
        for resource in resources {
            for place in resource.metadataLocations.places {
                for path in place.paths {
                    candidates[path, default: []].append(.init(resource: resource, place: place))
                }
            }
        }
        metadata = candidates
        reservedPaths = Set(resources.flatMap(\.metadataLocations.reservedPaths) + [WellKnownLocation.root])
        let signing = Dictionary(grouping: resources.filter { $0.keysPath != nil }) { $0.keysPath ?? "" }
        keys = signing
        problems =
            Self.sharedPlaces(candidates)
            + signing.sorted { $0.key < $1.key }.compactMap { path, sharing in
                let isTaken = candidates[path] != nil || resources.contains { $0.identifier.path == path }
                return isTaken || path.utf8.count <= 1
                    ? "\(sharing[0].identifier): the path of its jwks_uri is in use already" : nil
            }
    }

    /// The conflicts of documents at the same location, such as two root aliases.
    private static func sharedPlaces(_ candidates: [String: [Candidate]]) -> [String] {
        candidates.sorted { $0.key < $1.key }.flatMap { path, sharing in
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

    /// Returns a sentence for each pair of resources that can't be distinguished.
    ///
    /// Two equal resources would have one metadata location. RFC 9728 §3.1.
    package static func collisions(among identifiers: [ResourceIdentifier]) -> [String] {
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

    /// Answers with the document of the resource whose query matches the request, without requiring a token.
    ///
    /// RFC 9728 §3.1.
    package static func answer(
        to head: RequestHead, query: String?, _ candidates: [Candidate]
    ) -> Answer {
        let exact = candidates.first { $0.place.query != nil && $0.place.matches(query: query) }
        guard let found = exact ?? candidates.first(where: { $0.place.query == nil }) else {
            return (MetadataDocument.notFound, [])
        }
        return found.resource.publishedMetadata(for: head)
    }

    /// Answers with the public keys of all resources that share a path.
    ///
    /// RFC 9728 §2, RFC 7517 §5.
    package static func answer(to head: RequestHead, withKeysOf resources: [ProtectedResource]) -> Answer {
        let documents = resources.compactMap(\.keysDocument)
        guard let first = documents.first else { return (MetadataDocument.notFound, []) }
        guard documents.count > 1 else { return first.response(to: head) }
        return union(documents, like: first).response(to: head)
    }

    private static func union(_ documents: [MetadataDocument], like first: MetadataDocument)
        -> MetadataDocument
    {
        var keys: [JSONValue] = []
        for document in documents {
            let listed = (try? JSONValue.parse(document.body))?.object?["keys"]?.array ?? []
            keys += listed.filter { !keys.contains($0) }
        }
        let set: JSONObject = ["keys": .array(keys)]
        return MetadataDocument(set.serialized(), first.contentType, cacheControl: first.cacheControl)
    }

    /// Returns the answer for a path of documents, 404 for an unused reserved path, `nil` for any other.
    package func answer(to head: RequestHead, path: String, query: String?) -> Answer? {
        if let candidates = metadata[path] { return Self.answer(to: head, query: query, candidates) }
        if let signing = keys[path] { return Self.answer(to: head, withKeysOf: signing) }
        let isReserved = reservedPaths.contains { reserved in
            path.utf8.starts(with: reserved.utf8)
                && (path.utf8.count == reserved.utf8.count
                    || path.utf8.dropFirst(reserved.utf8.count).first == 0x2F)
        }
        return isReserved ? (MetadataDocument.notFound, []) : nil
    }
}
