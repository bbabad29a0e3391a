// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Synchronization

/// Notices when an authorization server's metadata changes where that would lead clients or keys elsewhere.
///
/// A changed issuer is no change but another server: such a document is not used, and reported as a failed refresh.
///
/// RFC 9728 §7.6.
final class AuthorizationServerWatch: Sendable {
    /// The members that are watched: where clients and keys go, and how clients prove who they are.
    static let names = [
        "authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint",
        "introspection_endpoint", "pushed_authorization_request_endpoint", "jwks_uri",
        "token_endpoint_auth_methods_supported", "introspection_endpoint_auth_methods_supported",
    ]

    private let last = Mutex<JSONObject?>(nil)

    /// The names of the watched members that differ from the last document; none for the first one.
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

    /// Goes on from what an earlier watch has seen.
    func inherit(from other: AuthorizationServerWatch) {
        let seen = other.last.withLock { $0 }
        last.withLock { last in if last == nil { last = seen } }
    }
}
