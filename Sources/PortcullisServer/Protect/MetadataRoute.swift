// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP
internal import PortcullisJOSE

/// Serves what resources publish about themselves, at the paths that are theirs.
///
/// RFC 9728 §3.
enum MetadataRoute {
    /// A resource whose metadata is at a path, if the request has the query for it.
    struct Candidate: Sendable {
        let resource: ProtectedResource
        let place: MetadataLocations.Place
    }

    /// Answers with the document of the resource whose query is that of the request, without asking for a token.
    ///
    /// RFC 9728 §3.1.
    static func respond(to request: Request, _ candidates: [Candidate]) -> Response {
        let exact = candidates.first { $0.place.query != nil && $0.place.matches(query: request.query) }
        guard let found = exact ?? candidates.first(where: { $0.place.query == nil }) else { return notFound }
        return Response(found.resource.publishedMetadata(for: request.head))
    }

    /// The answer where there is no document: readable from every origin, like the documents themselves.
    static var notFound: Response {
        var response = Response.notFound
        for field in MetadataDocument.notFound.fields { response.fields.append(field.value, for: field.name) }
        return response
    }

    /// Answers with the public keys of all resources that name this path as theirs.
    ///
    /// RFC 9728 §2, RFC 7517 §5.
    static func respondWithKeys(to request: Request, of resources: [ProtectedResource]) -> Response {
        let documents = resources.compactMap(\.keysDocument)
        guard let first = documents.first else { return notFound }
        guard documents.count > 1 else { return Response(first.response(to: request.head)) }
        return Response(union(documents, like: first).response(to: request.head))
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
}

extension Response {
    fileprivate init(_ answer: (head: ResponseHead, body: [UInt8])) {
        self.init(status: answer.head.status, fields: answer.head.fields, body: .bytes(answer.body))
    }
}
