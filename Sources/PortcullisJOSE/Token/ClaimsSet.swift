// SPDX-License-Identifier: MIT

/// The claims of a token, read with their types but not judged.
///
/// A claim that is absent reads as nothing; one of the wrong type, `null` included, throws.
///
/// RFC 7519 §4.
package struct ClaimsSet: Sendable {
    /// All claims, unknown ones included.
    package let json: JSONObject

    /// Reads the claims from the payload of a token.
    ///
    /// RFC 7519 §7.2: a UTF-8 JSON object, and nothing else.
    package init(payload: [UInt8], limits: JSONLimits = .default) throws(JOSEError) {
        json = try JSONObject(strictly: payload, limits: limits)
    }

    /// Takes over an object that was read already.
    package init(_ json: JSONObject) {
        self.json = json
    }

    /// The string of this name.
    package func string(_ name: String) throws(JOSEError) -> String? {
        guard let value = json[name] else { return nil }
        guard let string = value.string else { throw .malformedClaim }
        return string
    }

    /// Throws if there is a claim of this name and it is no string.
    package func checkString(_ name: String) throws(JOSEError) {
        guard json.hasString(name) ?? true else { throw .malformedClaim }
    }

    /// The boolean of this name.
    package func bool(_ name: String) throws(JOSEError) -> Bool? {
        guard let value = json[name] else { return nil }
        guard let bool = value.bool else { throw .malformedClaim }
        return bool
    }

    /// The object of this name.
    package func object(_ name: String) throws(JOSEError) -> JSONObject? {
        guard let value = json[name] else { return nil }
        guard let object = value.object else { throw .malformedClaim }
        return object
    }

    /// The moment of this name: any finite JSON number, fractions and exponents included.
    ///
    /// RFC 7519 §2.
    package func numericDate(_ name: String) throws(JOSEError) -> NumericDate? {
        guard let value = json[name] else { return nil }
        guard let number = value.number, let date = NumericDate(number) else { throw .malformedClaim }
        return date
    }

    /// The strings of this name: one string, or an array of nothing but strings.
    ///
    /// RFC 7519 §4.1.3.
    package func stringOrStrings(_ name: String) throws(JOSEError) -> [String]? {
        guard let value = json[name] else { return nil }
        if let string = value.string { return [string] }
        guard let strings = value.strings else { throw .malformedClaim }
        return strings
    }
}

extension JSONObject {
    /// Reads a document that must be an object.
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
