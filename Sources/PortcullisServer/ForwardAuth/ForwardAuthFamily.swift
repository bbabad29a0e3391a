// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// A kind of proxy that asks before it passes a request on, and the fields in which it describes the request.
///
/// The proxy must set these fields in every question, replacing a client's own. There is no fall-back from one
/// family to another.
public enum ForwardAuthFamily: String, Sendable, Hashable, CaseIterable {
    /// nginx's `auth_request`: `X-Original-URI`, `X-Original-Method`, `X-Original-Host`.
    ///
    /// nginx passes only 401 and 403 on, so 400, 404 and 405 become 403. The field `Status` after the identity prefix
    /// has the status of a direct request, and `Challenge-1` to `Challenge-4` have the challenges, since nginx drops
    /// some. The configuration in <doc:ForwardAuthentication> restores both.
    case nginx
    /// Traefik's ForwardAuth: `X-Forwarded-Uri`, `X-Forwarded-Method`, `X-Forwarded-Host`.
    case traefik
    /// Caddy's `forward_auth`: `X-Forwarded-Uri`, `X-Forwarded-Method`, `X-Forwarded-Host`.
    case caddy
    /// Envoy's `ext_authz` over HTTP: the method and `Host` of the question, and its target after the path of the
    /// endpoint.
    case envoy
    /// HAProxy with a Lua script: `X-Original-URI`, `X-Original-Method`, `X-Original-Host`.
    case haproxy

    /// The fields that describe the request; `nil` if the question's own first line does.
    var fields: ToldFields? {
        switch self {
        case .nginx, .haproxy: .original
        case .traefik, .caddy: .forwarded
        case .envoy: nil
        }
    }

    /// Whether the proxy passes only 401 and 403 on.
    var passesFewStatuses: Bool { self == .nginx }
}

/// The names of the fields that describe a request.
struct ToldFields: Sendable {
    let target: Name
    let method: Name
    let host: Name

    /// A name, and how CGI and its descendants would read it.
    struct Name: Sendable {
        let name: FieldName
        let folded: [UInt8]

        init(_ name: FieldName) {
            self.name = name
            folded = FoldedName.fold(name.spelling)
        }
    }

    var names: [FieldName] { [target.name, method.name, host.name] }

    static let original = ToldFields(
        target: Name("X-Original-URI"), method: Name("X-Original-Method"), host: Name("X-Original-Host"))
    static let forwarded = ToldFields(
        target: Name("X-Forwarded-Uri"), method: Name("X-Forwarded-Method"), host: Name("X-Forwarded-Host"))
}
