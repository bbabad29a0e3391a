// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// The types that claims must have, for people.
///
/// RFC 7519 §4.1, RFC 9068 §2.2.
enum ClaimTypes {
    /// Describes the claims of a wrong type, such as `exp is a string and must be a number`; `nil` if none is.
    static func objection(_ claims: JSONObject, scopeClaims: [String]) -> String? {
        let set = ClaimsSet(claims)
        var objections: [String] = []
        func check(_ names: [String], _ wanted: String, _ isGood: (String) -> Bool) {
            for name in names {
                guard let value = claims[name], !value.isNull, !isGood(name) else { continue }
                objections.append("\(name) is \(kind(value)) and must be \(wanted)")
            }
        }
        check(["iss", "sub", "client_id", "jti"], "a string") { (try? set.string($0)) != nil }
        check(["exp", "nbf", "iat"], "a number of seconds since 1970") { (try? set.numericDate($0)) != nil }
        check(["aud"], "a string or a list of strings") { (try? set.stringOrStrings($0)) != nil }
        let scope = scopeClaims.first { claims[$0] != nil }.map { [$0] } ?? []
        check(scope, "scopes, separated by spaces or as a list of strings") {
            claims[$0].map(areScopes) ?? true
        }
        return objections.isEmpty ? nil : objections.joined(separator: "; ")
    }

    private static func areScopes(_ value: JSONValue) -> Bool {
        if let text = value.string { return Scope.list(text) != nil }
        return value.strings?.allSatisfy { Scope(token: $0) != nil } ?? false
    }

    /// The type of a value, for people.
    private static func kind(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "true or false"
        case .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }
}
