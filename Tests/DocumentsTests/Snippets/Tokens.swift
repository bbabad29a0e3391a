// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisRedis
import PortcullisStatusList

/// The snippets of the articles about tokens, revocation, proofs and several machines.
struct Tokens {
    // snippet: introspection
    func makeArchive(secret: String) -> ProtectedResource {
        ProtectedResource(
            "https://api.example.com/archive",
            trusting: .introspection(
                issuer: "https://login.example.com",
                authenticatedBy: .clientSecretBasic(id: "archive-api", secret: secret)),
            scopes: ["archive:read"]
        )
    }
    // end

    // snippet: status lists
    func trustedIssuer() -> TrustedIssuer {
        var issuer = TrustedIssuer.jwt(issuer: "https://login.example.com")
        issuer.statusLists = StatusListPolicy(.honour, inflatingWith: ZlibInflater())
        return issuer
    }
    // end

    // snippet: dpop
    static let vault = ProtectedResource(
        "https://api.example.com/vault",
        trusting: .jwt(issuer: "https://login.example.com"),
        scopes: ["vault:open"],
        dpop: .required
    )
    // end

    // snippet: nonces
    static func policy(keys: [[UInt8]]) throws -> TokenPolicy {
        var tokens = TokenPolicy()
        tokens.dpop.nonce = .required
        tokens.dpop.nonceKeys = try keys.map { try NonceKey(validating: $0) }
        return tokens
    }
    // end

    // snippet: redis
    static func share(
        _ tokens: inout TokenPolicy, _ issuer: inout TrustedIssuer
    ) throws {
        let client = try RedisClient(RedisConfiguration(url: "rediss://10.0.0.7:6379"))
        tokens.dpop.replayStore = RedisReplayStore(client)
        issuer.introspection?.sharedCache = RedisIntrospectionCache(client)
    }
    // end
}
