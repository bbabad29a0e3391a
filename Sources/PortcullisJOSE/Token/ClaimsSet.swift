// SPDX-License-Identifier: MIT

/// The claims of a token, with checked types but without validation.
///
/// A claim that is absent or `null` reads as `nil`; a claim of the wrong type throws.
///
/// RFC 7519 §4.
package struct ClaimsSet: Sendable {
    /// All claims, unknown ones included.
    package let json: JSONObject

    /// Parses the payload of a token.
    ///
    /// RFC 7519 §7.2: the payload is one JSON object in UTF-8.
    package init(payload: [UInt8], limits: JSONLimits = .default) throws(JOSEError) {
        json = try JSONObject(strictly: payload, limits: limits)
    }

    /// Creates claims from a parsed object.
    package init(_ json: JSONObject) {
        self.json = json
    }

    /// The string claim with this name.
    package func string(_ name: String) throws(JOSEError) -> String? {
        guard let value = json[name], !value.isNull else { return nil }
        guard let string = value.string else { throw .malformedClaim }
        return string
    }

    /// Throws if there is a claim with this name that is not a string.
    package func checkString(_ name: String) throws(JOSEError) {
        guard json.hasString(name) ?? true else { throw .malformedClaim }
    }

    /// The boolean claim with this name.
    package func bool(_ name: String) throws(JOSEError) -> Bool? {
        guard let value = json[name], !value.isNull else { return nil }
        guard let bool = value.bool else { throw .malformedClaim }
        return bool
    }

    /// The object claim with this name.
    package func object(_ name: String) throws(JOSEError) -> JSONObject? {
        guard let value = json[name], !value.isNull else { return nil }
        guard let object = value.object else { throw .malformedClaim }
        return object
    }

    /// The NumericDate claim with this name: any finite JSON number, including fractions and exponents.
    ///
    /// RFC 7519 §2.
    package func numericDate(_ name: String) throws(JOSEError) -> NumericDate? {
        guard let value = json[name], !value.isNull else { return nil }
        guard let number = value.number, let date = NumericDate(number) else { throw .malformedClaim }
        return date
    }

    /// The strings of the claim with this name: one string, or an array of strings.
    ///
    /// RFC 7519 §4.1.3.
    package func stringOrStrings(_ name: String) throws(JOSEError) -> [String]? {
        guard let value = json[name], !value.isNull else { return nil }
        if let string = value.string { return [string] }
        guard let strings = value.strings else { throw .malformedClaim }
        return strings
    }
}

extension JSONObject {
    /// Parses a document that must be an object.
    init(strictly bytes: [UInt8], limits: JSONLimits) throws(JOSEError) {
        let json: JSONValue
        do {
            if let scanned = try JSONObject(scanning: bytes, limits: limits) {
                self = scanned
                return
            }
            json = try JSONValue.parse(bytes, limits: limits)
        } catch {
            throw .malformedJSON(error)
        }
        guard let object = json.object else { throw .notAnObject }
        self = object
    }
}
