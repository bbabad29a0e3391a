// SPDX-License-Identifier: MIT

package import PortcullisHTTP

/// Why the content of a request is not what a handler expects.
///
/// The server answers each with its status, and with its sentence as the `detail` of problem details.
///
/// RFC 9457 §3.1.4.
public enum RequestContentError: Error, Sendable, Hashable {
    /// `Content-Type` is absent, repeated, or not that of JSON: 415. RFC 9110 §15.5.16.
    case unsupportedMediaType
    /// The content is not strict JSON, with the place: 400. RFC 9110 §15.5.1.
    case malformed(String)
    /// The content is JSON, and not what the type demands, with the member: 422. RFC 9110 §15.5.21.
    case unprocessable(String)

    package var status: Status {
        switch self {
        case .unsupportedMediaType: .unsupportedMediaType
        case .malformed: .badRequest
        case .unprocessable: .unprocessableContent
        }
    }
}

extension RequestContentError: CustomStringConvertible {
    /// A sentence for the client: what is wrong, without any value.
    public var description: String {
        switch self {
        case .unsupportedMediaType: "The content must be JSON, with Content-Type: application/json."
        case .malformed(let problem): "The content is not JSON: found \(problem)."
        case .unprocessable(let sentence): sentence.prefix(1).uppercased() + sentence.dropFirst() + "."
        }
    }
}
