// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP

extension Response {
    /// What a resource publishes about itself, as a response.
    ///
    /// RFC 9728 §3.
    init(_ answer: PublishedPlaces.Answer) {
        self.init(status: answer.head.status, fields: answer.head.fields, body: .bytes(answer.body))
    }

    /// The answer where there is no document: readable from every origin, like the documents themselves.
    static var noDocument: Response {
        var response = Response.notFound
        for field in MetadataDocument.notFound.fields { response.fields.append(field.value, for: field.name) }
        return response
    }
}
