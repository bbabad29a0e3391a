// SPDX-License-Identifier: MIT

/// The public keys that an issuer publishes.
///
/// Keys that this package cannot use are skipped, not fatal.
///
/// RFC 7517 §5.
public struct JWKSet: Sendable {
    /// How many keys of a set are looked at; the rest is skipped.
    package static let maximumKeyCount = 256

    /// The keys that can be used, in the order of the document.
    public let keys: [JWK]
    /// The keys that were left out.
    package let skipped: [SkippedKey]
    /// The places, in the array `keys` of the document, of keys published with private members: an incident.
    ///
    /// RFC 7517 §9.2.
    package let indicesWithPrivateMembers: [Int]

    /// Reads a key set from the bytes of a document.
    ///
    /// - Throws: `malformedJSON` if the bytes are not strict JSON, `malformedKeySet` if they are not an object with an
    ///   array `keys`. An empty array is a key set without keys.
    ///
    /// RFC 7517 §5.
    public init(parsing bytes: [UInt8]) throws(JOSEError) {
        let json: JSONValue
        do {
            json = try JSONValue.parse(bytes)
        } catch {
            throw .malformedJSON(error)
        }
        try self.init(json)
    }

    /// Reads a key set.
    ///
    /// - Throws: `malformedKeySet` if this is not an object with an array `keys`.
    ///
    /// RFC 7517 §5.
    public init(_ json: JSONValue) throws(JOSEError) {
        guard let entries = json.object?["keys"]?.array else { throw .malformedKeySet }
        var keys: [JWK] = []
        var skipped: [SkippedKey] = []
        var indicesWithPrivateMembers: [Int] = []
        for (index, entry) in entries.enumerated() {
            if Self.hasPrivateMembers(entry) { indicesWithPrivateMembers.append(index) }
            do throws(JOSEError) {
                guard index < Self.maximumKeyCount else { throw .tooManyKeys }
                guard let object = entry.object else { throw .malformedKey }
                keys.append(try JWK(object))
            } catch {
                skipped.append(SkippedKey(index: index, reason: error))
            }
        }
        self.keys = keys
        self.skipped = skipped
        self.indicesWithPrivateMembers = indicesWithPrivateMembers
    }

    /// Makes a key set of these keys.
    public init(_ keys: [JWK]) {
        self.keys = keys
        skipped = []
        indicesWithPrivateMembers = []
    }

    /// The set's public members, as an issuer publishes them.
    ///
    /// RFC 7517 §5.
    package var publicJSON: JSONObject {
        ["keys": .array(keys.map { .object($0.publicJSON) })]
    }

    /// Finds the one key that a token may be verified with.
    ///
    /// Keys that cannot verify with the algorithm are left out first, so that two keys of different types may share a
    /// `kid`. Never falls back: a `kid` that no key has is not looked up in any other way.
    ///
    /// RFC 7517 §4.5, RFC 7515 §4.1.4, Appendix D.
    package func selectKey(keyID: String?, algorithm: SignatureAlgorithm) -> KeySelection {
        var isNamed = keyID == nil
        var found: JWK?
        for key in keys {
            if let keyID {
                guard let name = key.keyID, CodePoints.equal(name, keyID) else { continue }
                isNamed = true
            }
            guard key.canVerify(algorithm) else { continue }
            guard found == nil else { return .ambiguous }
            found = key
        }
        guard let found else { return isNamed ? .noCandidate : .unknownKeyID }
        return .found(found)
    }

    private static func hasPrivateMembers(_ entry: JSONValue) -> Bool {
        guard let object = entry.object else { return false }
        return JWK.privateNames.contains { object[$0] != nil }
    }
}

/// A key of a set that was left out, by its place, since its `kid` is untrusted text.
package struct SkippedKey: Sendable, Hashable {
    /// The place in the array `keys`, from 0.
    package let index: Int
    /// Why it cannot be used.
    package let reason: JOSEError
}

/// The answer to the question which key a token may be verified with.
package enum KeySelection: Sendable {
    /// This one.
    case found(JWK)
    /// No key has the token's `kid`: the set may be out of date.
    case unknownKeyID
    /// The keys in question cannot verify with the algorithm.
    case noCandidate
    /// More than one key could be meant.
    case ambiguous
}
