// SPDX-License-Identifier: MIT

package import PortcullisHTTP
import PortcullisJOSE

/// A document at a path of an authority, which needs no token.
///
/// RFC 9728 §2, §3.
package enum PublishedDocument: Sendable {
    /// The metadata of the resource whose query matches the request.
    case metadata([Candidate])
    /// The public keys that sign the metadata of the resources, which share a path.
    case keys([ProtectedResource])
    /// The metadata of the resource's authorization server, for clients that expect it at the resource.
    case authorizationServer(of: ProtectedResource)

    /// A resource whose metadata is at a path, if the request's query matches.
    package struct Candidate: Sendable {
        package let resource: ProtectedResource
        /// The query that requests must have, or `nil`.
        let query: String?
    }

    /// An answer whose body is not sent for `HEAD`.
    package typealias Answer = (head: ResponseHead, body: [UInt8])

    /// Returns the answer without waiting, or `nil` if only its owner can give it after waiting.
    package func answer(to head: RequestHead, query: String?) -> Answer? {
        switch self {
        case .metadata(let candidates): Self.answer(to: head, query: query, candidates)
        case .keys(let resources): Self.answer(to: head, withKeysOf: resources)
        case .authorizationServer: nil
        }
    }

    /// Answers with the document of the resource whose query matches the request.
    ///
    /// RFC 9728 §3.1.
    private static func answer(
        to head: RequestHead, query: String?, _ candidates: [Candidate]
    ) -> Answer {
        let exact = candidates.first {
            $0.query != nil && MetadataLocations.Place.matches(query, $0.query)
        }
        guard let found = exact ?? candidates.first(where: { $0.query == nil }) else {
            return (MetadataDocument.notFound, [])
        }
        return found.resource.publishedMetadata(for: head)
    }

    /// Answers with the public keys of all resources that share a path.
    ///
    /// RFC 9728 §2, RFC 7517 §5.
    private static func answer(to head: RequestHead, withKeysOf resources: [ProtectedResource]) -> Answer {
        let documents = resources.compactMap(\.keysDocument)
        guard let first = documents.first else { return (MetadataDocument.notFound, []) }
        guard documents.count > 1 else { return first.response(to: head) }
        return union(documents, like: first).response(to: head)
    }

    private static func union(
        _ documents: [MetadataDocument], like first: MetadataDocument
    ) -> MetadataDocument {
        var keys: [JSONValue] = []
        for document in documents {
            let listed = (try? JSONValue.parse(document.body))?.object?["keys"]?.array ?? []
            keys += listed.filter { !keys.contains($0) }
        }
        let set: JSONObject = ["keys": .array(keys)]
        return MetadataDocument(set.serialized(), first.contentType, cacheControl: first.cacheControl)
    }
}
