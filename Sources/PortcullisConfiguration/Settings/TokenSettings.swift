// SPDX-License-Identifier: MIT

package import Portcullis
package import PortcullisJOSE

/// The `tokens` object of a resource, with defaults for omitted keys.
package struct TokenSettings: Sendable, Hashable {
    /// `nil`: derived from the trusted issuers' keys and introspection.
    package var format: TokenPolicy.Format?
    package var algorithms = SignatureAlgorithm.allCases
    package var types = ["at+jwt"]
    package var requiredClaims = ["sub", "client_id", "iat", "jti"]
    /// `nil`: the resource identifier.
    package var audiences: [String]?
    package var leeway: Duration = .seconds(30)
    package var scopeClaims = ["scope"]
    package var scopeImplications: [String: [String]] = [:]
    package var maxTokenByteCount = 16_384
    package var verifiedCacheEntryCount = 10_000
    package var introspectionCache: Duration = .seconds(30)
    package var inactiveCache: Duration = .seconds(5)
    package var dpop = DPoPSettings()
    package var challengesAuthorizationDetails = false
    package var introspectionAudience = TokenPolicy.IntrospectionAudience.required

    /// Creates the defaults.
    package init() {}
}

enum TokenFormat: String, CaseIterable {
    case jwt, opaque, any
}

enum IntrospectionAudience: String, CaseIterable {
    case required, optional
}

extension TokenSettings {
    init(_ reader: ObjectReader) {
        format = reader.word("format", TokenFormat.self).flatMap { TokenPolicy.Format(rawValue: $0.rawValue) }
        algorithms = Self.readAlgorithms(reader, default: "every asymmetric algorithm") ?? algorithms
        types = Self.readTypes(reader) ?? types
        requiredClaims = reader.strings("required_claims", of: "claim names") ?? requiredClaims
        audiences = reader.strings("audiences", of: "audience identifiers")
        if audiences?.isEmpty == true {
            reader.error("audiences", "must not be empty; leave it out to accept the resource identifier")
        }
        leeway = reader.seconds("leeway_seconds", in: 0...300) ?? leeway
        scopeClaims = reader.strings("scope_claims", of: "claim names") ?? scopeClaims
        if scopeClaims.isEmpty {
            reader.error("scope_claims", "must not be empty; leave it out for \"scope\"")
        }
        // The names of claims that are URLs have dots too. RFC 7519 §4.2.
        for (index, name) in scopeClaims.enumerated()
        where name.hasPrefix("/") || name.utf8.contains(0x2E) && !name.utf8.contains(0x3A) {
            reader.findings.warning(
                reader.path["scope_claims"][index],
                "is the name of a claim, not a path into one; for a nested claim set claims.scopes of the issuer "
                    + "to JSON pointers such as \"/realm_access/roles\"")
        }
        readImplications(reader)
        maxTokenByteCount = reader.integer("max_token_bytes", in: 64...1_048_576) ?? maxTokenByteCount
        verifiedCacheEntryCount =
            reader.integer("verified_cache_entries", in: 0...10_000_000) ?? verifiedCacheEntryCount
        introspectionCache =
            reader.seconds("introspection_cache_seconds", in: 0...3_600) ?? introspectionCache
        inactiveCache = reader.seconds("inactive_cache_seconds", in: 0...3_600) ?? inactiveCache
        let audience = reader.word("introspection_audience", IntrospectionAudience.self)
        introspectionAudience = audience == .optional ? .optional : .required
        if let object = reader.object("dpop") { dpop = DPoPSettings(object) }
        challengesAuthorizationDetails = reader.bool("insufficient_authorization_details") ?? false
        reader.finish()
    }

    /// Reads a list of algorithms that is not empty.
    static func readAlgorithms(_ reader: ObjectReader, default others: String) -> [SignatureAlgorithm]? {
        guard let names = reader.strings("algorithms", of: "JWS algorithms") else { return nil }
        if names.isEmpty {
            reader.error("algorithms", "must not be empty; leave it out to accept \(others)")
        }
        var algorithms: [SignatureAlgorithm] = []
        for (index, name) in names.enumerated() {
            if let algorithm = SignatureAlgorithm(exactly: name) {
                algorithms.append(algorithm)
            } else {
                let known = SignatureAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
                reader.findings.error(reader.path["algorithms"][index], "must be one of \(known)")
            }
        }
        return algorithms
    }

    /// Reads the accepted `typ` values; an empty string means a token without `typ`.
    private static func readTypes(_ reader: ObjectReader) -> [String]? {
        guard let value = reader.value("types") else { return nil }
        guard case .array(let elements) = value, !elements.isEmpty else {
            reader.error("types", "must be a list of accepted typ values that is not empty")
            return nil
        }
        return elements.enumerated().compactMap { index, element in
            if case .string(let type) = element { return type }
            reader.findings.error(
                reader.path["types"][index], "must be a string; \"\" means a token without typ")
            return nil
        }
    }

    private mutating func readImplications(_ reader: ObjectReader) {
        guard let implications = reader.object("scope_implies") else { return }
        for name in implications.object.names {
            if !isScopeToken(name) { implications.error(name, notAScope) }
            let implied = implications.strings(name, of: "scopes") ?? []
            for (index, scope) in implied.enumerated() where !isScopeToken(scope) {
                implications.findings.error(implications.path[name][index], notAScope)
            }
            scopeImplications[name] = implied
        }
    }
}
