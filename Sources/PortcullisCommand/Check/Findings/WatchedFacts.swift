// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisDiscovery
import PortcullisJOSE

/// Something that clients rely on, and whose change they should notice.
///
/// RFC 9728 §5.2.
package struct WatchedFact: Sendable, Hashable {
    /// What it is: a member, for authorization servers after the issuer.
    package let name: String
    /// Its value as JSON; empty if it is absent.
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

extension WatchedFact {
    private static let resourceMembers = [
        "resource", "authorization_servers", "scopes_supported", "bearer_methods_supported", "jwks_uri",
    ]
    private static let serverMembers = [
        "authorization_endpoint", "token_endpoint", "registration_endpoint", "introspection_endpoint",
        "jwks_uri",
        "token_endpoint_auth_methods_supported", "scopes_supported", "code_challenge_methods_supported",
    ]

    /// What a resource's document says.
    static func facts(ofResource document: JSONObject) -> [WatchedFact] {
        resourceMembers.map { WatchedFact($0, text(document[$0])) }
    }

    /// What the metadata of an authorization server say.
    static func facts(of server: DiscoveredAuthorizationServer) -> [WatchedFact] {
        serverMembers.map { WatchedFact("\(server.issuer) \($0)", text(server.document[$0])) }
    }

    private static func text(_ value: JSONValue?) -> String {
        guard let value, !value.isNull else { return "" }
        return Exchange.shown(String(decoding: value.serialized(), as: UTF8.self))
    }
}

/// A fact that has changed between two checks.
package struct WatchedChange: Sendable, Hashable {
    /// The name of the fact.
    package let name: String
    /// The values, empty if absent.
    package let before: String
    package let after: String

    /// The changes from one check to the next.
    ///
    /// A fact that one of them does not have was not learned then, and has not changed: members that are
    /// absent have an empty value.
    package static func list(from old: [WatchedFact], to new: [WatchedFact]) -> [WatchedChange] {
        let known = Dictionary(old.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        return new.compactMap { fact in
            guard let before = known[fact.name], before != fact.value else { return nil }
            return WatchedChange(name: fact.name, before: before, after: fact.value)
        }
    }
}
