// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP

/// Serves the metadata documents of resources at one well-known path.
///
/// RFC 9728 §3.
enum MetadataRoute {
    /// Answers with the document of the resource whose query is that of the request, without asking for a token.
    ///
    /// RFC 9728 §3.1.
    static func respond(to request: Request, _ candidates: [ProtectedResource]) -> Response {
        let query = request.query
        let matching = candidates.filter { $0.metadataDocument.location.matches(query: query) }
        // One that demands this very query goes before one that demands none.
        guard let resource = matching.first(where: { $0.identifier.query != nil }) ?? matching.first else {
            return notFound
        }
        let answer = resource.metadataDocument.response(to: request.head)
        return Response(status: answer.head.status, fields: answer.head.fields, body: .bytes(answer.body))
    }

    /// The answer where there is no document: readable from every origin, like the documents themselves.
    static var notFound: Response {
        var response = Response.notFound
        for field in MetadataDocument.notFound.fields { response.fields.append(field.value, for: field.name) }
        return response
    }
}
