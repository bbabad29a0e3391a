// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// Why a request is not passed on.
///
/// Never contains text of the request.
enum ForwardingRefusal: Error, Hashable {
    /// `Connection` names a field for all recipients. RFC 9110 §7.6.1.
    case connectionOption
    /// The request has passed here before. RFC 9110 §7.3.
    case loop
    /// `Max-Forwards` is not a number. RFC 9110 §7.6.2.
    case maxForwards
    /// A field has a character that no field may have. RFC 9110 §5.5.
    case field
    /// A path segment has `;`. Some servers strip `;` and what follows before they look for the path's handler,
    /// so they would serve another path than the gate has judged. RFC 3986 §3.3.
    case pathParameter

    var status: Status {
        switch self {
        case .connectionOption, .maxForwards, .field, .pathParameter: .badRequest
        case .loop: .badGateway
        }
    }
}
