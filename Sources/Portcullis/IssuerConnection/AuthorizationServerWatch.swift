// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Synchronization

/// Detects changes of an authorization server's metadata that redirect clients or keys.
///
/// A document with another issuer is rejected, and reported as a failed refresh.
///
/// RFC 9728 §7.6.
final class AuthorizationServerWatch: Sendable {
    /// The watched members: endpoints, the keys' location, and client authentication methods.
    static let names = [
        "authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint",
        "introspection_endpoint", "pushed_authorization_request_endpoint", "jwks_uri",
        "token_endpoint_auth_methods_supported", "introspection_endpoint_auth_methods_supported",
    ]

    private let last = Mutex<JSONObject?>(nil)

    /// Returns the watched members that differ from the last document; empty for the first one.
    func changes(in document: JSONObject) -> [String] {
        var watched: JSONObject = [:]
        for name in Self.names { watched[name] = document[name] }
        let before = last.withLock { last in
            defer { last = watched }
            return last
        }
        guard let before else { return [] }
        return Self.names.filter { before[$0] != watched[$0] }
    }

    /// Takes over the last document of an earlier watch.
    func inherit(from other: AuthorizationServerWatch) {
        let seen = other.last.withLock { $0 }
        last.withLock { last in if last == nil { last = seen } }
    }
}
