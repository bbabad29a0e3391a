// SPDX-License-Identifier: MIT

internal import Portcullis

/// What does not change between the requests of one proxy.
///
/// A class, because each request refers to it.
final class ForwardingRules: Sendable {
    enum Host: Sendable {
        case upstream
        case resource(String)
    }

    let host: Host
    /// The segments that are removed from the start of each path, `/a/b`; empty for none.
    let strippedPrefix: [UInt8]
    let forwardsToken: Bool
    let pseudonym: String
    let identity: IdentityFields
    /// Whether the route belongs to a resource.
    let isGuarded: Bool
    /// Whether the resource accepts tokens in forms.
    let takesFormTokens: Bool
    /// The offered protocols, in lower case.
    let upgrades: [String]

    init(_ proxy: ReverseProxy, for resource: ProtectedResource?) {
        if proxy.configuration.host == .resource, let resource {
            host = .resource(resource.identifier.authority)
        } else {
            host = .upstream
        }
        strippedPrefix = proxy.strippedPrefix
        forwardsToken = proxy.configuration.forwardsToken
        pseudonym = proxy.pseudonym
        identity = proxy.identity
        isGuarded = resource != nil
        takesFormTokens = resource?.metadata.bearerMethodsSupported?.contains(.body) ?? false
        upgrades = proxy.configuration.upgrades
    }

    /// Whether the credentials of a request are passed on: at a resource only those that the gate has accepted.
    func forwardsToken(of request: Request) -> Bool {
        forwardsToken && (!isGuarded || request.token != nil)
    }
}
