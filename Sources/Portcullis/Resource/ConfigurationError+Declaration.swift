// SPDX-License-Identifier: MIT

extension ConfigurationError {
    /// The same problems with paths in Swift spelling: `tokens.leeway` for `$.tokens.leeway_seconds`.
    ///
    /// For resources declared in code. The checks use the JSON paths of a configuration file.
    func inCode() -> ConfigurationError {
        ConfigurationError(
            problems.map { Problem(path: $0.path.map(SwiftPlace.init(jsonPath:))?.text, $0.message) })
    }

    /// The same problems, with paths that name the parameters of ``ProtectedResource``'s short initializer.
    func inShortDeclaration() -> ConfigurationError {
        ConfigurationError(
            inCode().problems.map { Problem(path: $0.path.map(SwiftPlace.inShortDeclaration), $0.message) })
    }
}

/// A path within a declaration, in Swift spelling.
struct SwiftPlace {
    let text: String

    /// Translates a JSON path of a resource in a configuration file; unknown names stay.
    init(jsonPath: String) {
        var place = Substring(jsonPath)
        if place.hasPrefix("$.") { place = place.dropFirst(2) } else if place == "$" { place = "" }
        var words: [String] = []
        for part in place.split(separator: ".", omittingEmptySubsequences: false) {
            let name = part.prefix { $0 != "[" }
            words.append((Self.names(in: words)[String(name)] ?? String(name)) + part.dropFirst(name.count))
        }
        text = words.joined(separator: ".")
    }

    static func inShortDeclaration(_ place: String) -> String {
        for (property, parameter) in parameters where place.hasPrefix(property) {
            return parameter + place.dropFirst(property.count)
        }
        return place
    }

    private static func names(in outer: [String]) -> [String: String] {
        guard let first = outer.first else { return properties }
        switch first.prefix(while: { $0 != "[" }) {
        case "metadata": return metadata
        case "issuers": return outer.count > 1 && outer[1] == "claims" ? claims : issuers
        case "tokens": return outer.count > 1 ? dpop : tokens
        case "publishing.signing": return signing
        default: return [:]
        }
    }

    private static let properties = [
        "trusted_issuers": "issuers", "challenge_parameters": "challengeParameters",
        "metadata_max_age_seconds": "metadataMaxAge", "allowed_origins": "profile.allowedOrigins",
        "additional_well_known_suffixes": "publishing.additionalSuffixes",
        "metadata_url": "publishing.advertisedURL", "signed_metadata": "publishing.signing",
    ]
    private static let metadata = [
        "authorization_servers": "authorizationServers", "jwks_uri": "jwksURI",
        "scopes_supported": "scopesSupported", "bearer_methods_supported": "bearerMethodsSupported",
        "resource_signing_alg_values_supported": "resourceSigningAlgorithmsSupported",
        "resource_name": "resourceName", "resource_documentation": "resourceDocumentation",
        "resource_policy_uri": "resourcePolicyURI", "resource_tos_uri": "resourceTermsOfServiceURI",
        "tls_client_certificate_bound_access_tokens": "tlsClientCertificateBoundAccessTokens",
        "authorization_details_types_supported": "authorizationDetailsTypesSupported",
        "dpop_signing_alg_values_supported": "dpopSigningAlgorithmsSupported",
        "dpop_bound_access_tokens_required": "dpopBoundAccessTokensRequired",
        "signed_metadata": "signedMetadata",
    ]
    private static let issuers = [
        "jwks_uri": "keys", "timeout_seconds": "timeout", "max_response_bytes": "maxResponseByteCount",
        "jwks_refresh_seconds": "keyFreshness", "jwks_cooldown_seconds": "keyCooldown",
        "jwks_stale_seconds": "keyStaleness", "bearer_token": "authentication",
        "client_id": "authentication", "client_secret": "authentication", "private_key": "authentication",
        "client_certificate": "fetcher", "signed_response": "signedResponseAudience",
        "required_claim_values": "requiredClaimValues", "audience_from": "audienceSource",
    ]
    private static let claims = ["client_id": "clientID"]
    private static let tokens = [
        "types": "acceptedTypes", "leeway_seconds": "leeway", "scope_claims": "scopeClaims",
        "required_claims": "requiredClaims", "max_token_bytes": "maxTokenByteCount",
        "verified_cache_entries": "verifiedCacheEntryCount",
        "introspection_cache_seconds": "introspectionCacheLifetime",
        "inactive_cache_seconds": "inactiveCacheLifetime",
        "introspection_audience": "introspectionAudience",
        "authorization_details": "authorizationDetailEvaluators",
    ]
    private static let dpop = [
        "nonce_lifetime_seconds": "nonceLifetime", "proof_max_age_seconds": "proofMaxAge",
        "proof_max_future_seconds": "proofMaxFuture", "replay_cache_entries": "replayCacheEntryCount",
    ]
    private static let signing = ["private_key": "key", "lifetime_seconds": "lifetime"]

    /// The parameter names of the short initializer.
    private static let parameters = [
        ("metadata.resourceName", "name"), ("metadata.resource", "identifier"),
        ("metadata.scopesSupported", "scopes"), ("metadata.authorizationServers", "trusting"),
        ("metadata.dpop", "dpop"), ("issuers", "trusting"),
    ]
}
