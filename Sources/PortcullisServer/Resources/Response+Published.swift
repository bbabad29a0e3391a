// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP

extension Response {
    /// Makes a response from a resource's published document.
    ///
    /// RFC 9728 §3.
    init(_ answer: PublishedDocument.Answer) {
        self.init(status: answer.head.status, fields: answer.head.fields, body: .bytes(answer.body))
    }

    /// The answer of a document that needs no waiting.
    static func published(_ document: PublishedDocument, to request: Request) -> Response {
        document.answer(to: request.head, query: request.query).map { Response($0) } ?? .noDocument
    }

    /// 404 for a missing document, readable from every origin, like the documents themselves.
    static var noDocument: Response {
        var response = Response.notFound
        for field in MetadataDocument.notFound.fields { response.fields.append(field.value, for: field.name) }
        return response
    }
}
