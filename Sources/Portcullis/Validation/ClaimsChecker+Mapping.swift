// SPDX-License-Identifier: MIT

import PortcullisJOSE

// The client identifier and the scopes, in their usual claims or where the issuer's settings say. The first
// claim that is present counts; claims are never merged, and `null` is absent.

extension ClaimsChecker {
    /// Whether a token lacks a required claim.
    ///
    /// A client identifier in another claim counts as `client_id`. RFC 9068 §2.2.
    func isMissing(_ name: String, in claims: JSONObject, _ rules: ClaimRules?) -> Bool {
        let isClient = CodePoints.equal(name, "client_id")
        var value = claims[name]
        if value == nil || value == .null, isClient { value = clientIDSource(of: claims, rules)?.value }
        guard let value, !value.isNull else { return true }
        // An empty array names no client.
        return isClient && value.array?.isEmpty == true
    }

    // MARK: The client identifier

    func clientID(of claims: JSONObject, _ rules: ClaimRules?) throws(RefusalReason) -> String? {
        guard rules?.clientID != nil else {
            guard let value = claims["client_id"] else { return nil }
            return try clientID(in: value)
        }
        guard let (_, value) = clientIDSource(of: claims, rules) else { return nil }
        return try clientID(in: value)
    }

    /// The claim that counts, and its name for a log; `nil` if there is none.
    func clientIDSource(of claims: JSONObject, _ rules: ClaimRules?) -> (name: String, value: JSONValue)? {
        Self.first(of: rules?.clientID ?? [ClaimMapping.usualClientID], in: claims)
    }

    /// Several identifiers name no client.
    func clientID(in value: JSONValue) throws(RefusalReason) -> String? {
        if let text = value.string { return text }
        if value.isNull { return nil }
        guard let texts = value.strings, texts.count <= 1 else { throw .malformedClaims }
        return texts.first
    }

    // MARK: The scopes

    func scopes(
        of claims: JSONObject, isIntrospected: Bool, _ rules: ClaimRules?
    ) throws(RefusalReason) -> [Scope] {
        if rules?.scopes != nil {
            guard let (_, value) = scopeSource(of: claims, isIntrospected: isIntrospected, rules) else {
                return []
            }
            return try scopes(in: value, isMapped: true)
        }
        for name in isIntrospected ? introspectedScopeClaims : scopeClaims {
            guard let value = claims[name], !value.isNull else { continue }
            return try scopes(in: value, isMapped: false)
        }
        return []
    }

    /// The claim that counts, and its name for a log; `nil` if there is none.
    func scopeSource(
        of claims: JSONObject, isIntrospected: Bool, _ rules: ClaimRules?
    ) -> (name: String, value: JSONValue)? {
        if let pointers = rules?.scopes { return Self.first(of: pointers, in: claims) }
        for name in isIntrospected ? introspectedScopeClaims : scopeClaims {
            if let value = claims[name], !value.isNull { return (name, value) }
        }
        return nil
    }

    /// RFC 9068 §2.2.3 has a string, separated by spaces; many servers write an array.
    ///
    /// - Parameter isMapped: Whether the claim need not be of scopes, such as one of roles: then names that
    ///   are no scopes grant nothing. RFC 6749 §3.3.
    func scopes(in value: JSONValue, isMapped: Bool) throws(RefusalReason) -> [Scope] {
        if let text = value.string {
            if let scopes = Scope.list(text) { return scopes }
            guard isMapped else { throw .malformedClaims }
            return text.split(separator: " ").compactMap { Scope(token: String($0)) }
        }
        guard let texts = value.strings else { throw .malformedClaims }
        let scopes = texts.compactMap(Scope.init(token:))
        guard isMapped || scopes.count == texts.count else { throw .malformedClaims }
        return scopes
    }

    /// The first value that is present.
    private static func first(
        of pointers: [JSONPointer], in claims: JSONObject
    ) -> (name: String, value: JSONValue)? {
        for pointer in pointers {
            if let value = pointer.value(in: claims) { return (pointer.logName, value) }
        }
        return nil
    }
}

extension JSONPointer {
    /// The pointer as a name in a log: `client_id` for `/client_id`.
    fileprivate var logName: String {
        let name = text.dropFirst()
        return name.utf8.contains(UInt8(ascii: "/")) ? text : String(name)
    }
}
