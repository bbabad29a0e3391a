// SPDX-License-Identifier: MIT

package import Portcullis
package import PortcullisHTTP

extension Response {
    /// Makes the response to an error that a handler threw.
    ///
    /// The client gets no details of errors that are not the library's own.
    package init(answering error: any Error) {
        switch error {
        case let refusal as Refusal:
            self.init(refusal)
        case let malformed as MalformedMessage:
            self = .problem(malformed)
        case let error as RequestContentError:
            self = .problem(error.status, detail: error.description)
            // RFC 9110 §15.5.16, §12.5.1.
            if error == .unsupportedMediaType { fields["Accept"] = "application/json" }
        case let error as QueryError:
            self = .problem(.badRequest, detail: error.description)
        case RequestBodyError.timeout:
            self = .problem(.requestTimeout)
        case FileError.notFound:
            self = .notFound
        case is BlockingPool.Overload:
            self = .problem(.serviceUnavailable)
            fields[.retryAfter] = "1"
        default:
            self = .problem(.internalServerError)
            failure = "an error of the type \(type(of: error))"
        }
    }

    /// Makes the response of a refusal.
    package init(_ refusal: Refusal) {
        let head = refusal.head
        self.init(status: head.status, fields: head.fields, body: .bytes(refusal.body))
        refusalReason = refusal.reason
        refusalFinding = refusal.finding
    }

    /// A response of the server itself, with the status and its reason phrase only.
    package static func problem(_ status: Status) -> Response {
        var response = Response.text(status.reasonPhrase + "\n", status: status)
        response.isProblem = true
        return response
    }

    /// A response of the server itself, with a sentence for the client.
    static func problem(_ status: Status, detail: String) -> Response {
        var response = Response.text("\(status.reasonPhrase): \(detail)\n", status: status)
        response.isProblem = true
        response.problemDetail = detail
        return response
    }

    /// The response to a malformed message.
    package static func problem(_ malformation: MalformedMessage) -> Response {
        var response = problem(malformation.status)
        response.malformation = malformation
        return response
    }

    /// 404. RFC 9110 §15.5.5.
    static let notFound = problem(.notFound)

    /// 405 with `Allow`.
    ///
    /// RFC 9110 §15.5.6.
    static func methodNotAllowed(allowing methods: String) -> Response {
        var response = problem(.methodNotAllowed)
        response.fields[.allow] = methods
        return response
    }
}
