// SPDX-License-Identifier: MIT

package import Portcullis
package import PortcullisHTTP

extension Response {
    /// The one place where what a handler throws turns into HTTP.
    ///
    /// Nothing of an error that is not the library's own reaches the client.
    package init(answering error: any Error) {
        switch error {
        case let refusal as Refusal:
            self.init(refusal)
        case let malformed as MalformedMessage:
            self = .problem(malformed.status)
        case RequestBodyError.timeout:
            self = .problem(.requestTimeout)
        case FileError.notFound:
            self = .notFound
        case is BlockingPool.Overload:
            self = .problem(.serviceUnavailable)
            fields[.retryAfter] = "1"
        default:
            self = .problem(.internalServerError)
            failure = String(reflecting: type(of: error))
        }
    }

    /// The answer that a refusal of the gate describes.
    package init(_ refusal: Refusal) {
        let head = refusal.head
        self.init(status: head.status, fields: head.fields, body: .bytes(refusal.body))
        refusalReason = refusal.reason
        refusalFinding = refusal.finding
    }

    /// An answer of the server itself: the status and its phrase, and no more.
    package static func problem(_ status: Status) -> Response {
        var response = Response.text(status.reasonPhrase + "\n", status: status)
        response.isProblem = true
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
