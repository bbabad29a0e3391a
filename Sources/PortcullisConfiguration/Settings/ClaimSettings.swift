// SPDX-License-Identifier: MIT

package import Portcullis
import PortcullisJOSE

/// What an entry of `authorization_servers` says about the claims of its tokens.
package struct ClaimSettings: Sendable {
    package var mapping = ClaimMapping.default
    package var requiredValues: [ClaimValues] = []
    package var audienceSource: ClaimValues?

    /// Creates the defaults.
    package init() {}
}

extension ClaimSettings {
    private static let maxRequiredCount = 16
    private static let notAPointer =
        "must be a JSON pointer to a member, such as \"/realm_access/roles\" (RFC 6901)"

    init(_ reader: ObjectReader) {
        if let object = reader.object("claims") {
            mapping.clientID = Self.pointers(object, "client_id") ?? mapping.clientID
            mapping.scopes = Self.pointers(object, "scopes")
            object.finish()
        }
        requiredValues = Self.readRequiredValues(reader)
        audienceSource = reader.object("audience_from").flatMap(Self.readSource)
        if reader.object["audience_from"] != nil, requiredValues.isEmpty,
            reader.object["required_claim_values"]?.object?.members.isEmpty ?? true
        {
            reader.error(
                "audience_from",
                "needs required_claim_values, which must tell the issuer's access tokens from its ID tokens")
        }
    }

    private static func pointers(_ reader: ObjectReader, _ name: String) -> [JSONPointer]? {
        guard let texts = reader.strings(name, of: "JSON pointers") else { return nil }
        let limit = ClaimMapping.maximumPointerCount
        if !(1...limit).contains(texts.count) {
            reader.error(name, "must have from 1 to \(limit) JSON pointers; leave it out for the default")
        }
        return texts.enumerated().compactMap { index, text in
            if let pointer = JSONPointer(text) { return pointer }
            reader.findings.error(reader.path[name][index], notAPointer)
            return nil
        }
    }

    /// Reads pointers with the values that each accepts: a list, or one string.
    private static func readRequiredValues(_ reader: ObjectReader) -> [ClaimValues] {
        guard let object = reader.object("required_claim_values") else { return [] }
        let names = object.object.names
        if names.count > maxRequiredCount {
            reader.error("required_claim_values", "must have at most \(maxRequiredCount) claims")
        }
        return names.compactMap { name in
            guard let pointer = JSONPointer(name) else {
                object.error(name, "the key " + notAPointer)
                return nil
            }
            if case .string(let text)? = object.object[name], !text.isEmpty {
                return ClaimValues(pointer, [text])
            }
            return values(object, name).map { ClaimValues(pointer, $0) }
        }
    }

    private static func readSource(_ reader: ObjectReader) -> ClaimValues? {
        let text = reader.requiredString("pointer", "a JSON pointer to the claim that takes the place of aud")
        let pointer = text.flatMap(JSONPointer.init)
        if text != nil, pointer == nil { reader.error("pointer", notAPointer) }
        if reader.object["values"] == nil {
            _ = reader.value("values")
            reader.error("values", "missing; must be the accepted values")
            reader.finish()
            return nil
        }
        let values = values(reader, "values")
        reader.finish()
        guard let pointer, let values else { return nil }
        return ClaimValues(pointer, values)
    }

    private static func values(_ reader: ObjectReader, _ name: String) -> [String]? {
        guard let values = reader.strings(name, of: "accepted values") else { return nil }
        let limit = ClaimValues.maximumValueCount
        guard (1...limit).contains(values.count) else {
            // An empty element has been reported at its own path.
            if reader.object[name]?.array?.isEmpty == true || values.count > limit {
                reader.error(name, "must have from 1 to \(limit) values")
            }
            return nil
        }
        return values
    }
}
