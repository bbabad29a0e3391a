// SPDX-License-Identifier: MIT

/// The public keys that an issuer publishes.
///
/// Unusable keys are skipped and do not make the set invalid.
///
/// RFC 7517 §5.
public struct JWKSet: Sendable {
    /// The maximum number of keys; further keys are skipped.
    package static let maximumKeyCount = 256

    /// The usable keys, in the order of the document.
    public let keys: [JWK]
    /// The skipped keys.
    package let skipped: [SkippedKey]
    /// The indices in the document's `keys` of keys with private members, whose publication is an incident.
    ///
    /// RFC 7517 §9.2.
    package let indicesWithPrivateMembers: [Int]
    /// The indices of the keys by `kid` in a large set; empty in a small one, where each is compared.
    private let places: [String: [Int]]

    /// The maximum number of keys of which each is compared with the `kid` of a token.
    private static let maxComparedKeyCount = 8

    /// Parses a JWK set, after a byte order mark if there is one.
    ///
    /// - Throws: `malformedJSON` if the bytes are not strict JSON, `malformedKeySet` if they are not an
    ///   object with an array `keys`. An empty array is a valid set.
    ///
    /// RFC 7517 §5.
    public init(parsing bytes: [UInt8]) throws(JOSEError) {
        let json: JSONValue
        do {
            json = try JSONValue.parse(ByteOrderMark.removed(from: bytes))
        } catch {
            throw .malformedJSON(error)
        }
        try self.init(json)
    }

    /// Parses a JWK set from JSON.
    ///
    /// - Throws: `malformedKeySet` if the value is not an object with an array `keys`.
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
        places = Self.places(of: keys)
    }

    /// Creates a set of these keys.
    public init(_ keys: [JWK]) {
        self.keys = keys
        skipped = []
        indicesWithPrivateMembers = []
        places = Self.places(of: keys)
    }

    private static func places(of keys: [JWK]) -> [String: [Int]] {
        guard keys.count > maxComparedKeyCount else { return [:] }
        var places: [String: [Int]] = [:]
        for (index, key) in keys.enumerated() {
            if let keyID = key.keyID { places[keyID, default: []].append(index) }
        }
        return places
    }

    /// The JWK set document, with public members only.
    ///
    /// RFC 7517 §5.
    package var publicJSON: JSONObject {
        ["keys": .array(keys.map { .object($0.publicJSON) })]
    }

    /// The maximum number of keys that are tried for one token.
    package static let maximumCandidateCount = 4

    /// Selects the keys to verify a token with: one, almost always.
    ///
    /// Considers only keys that can verify with the algorithm, so that two keys of different types may share
    /// a `kid`. Never falls back: a token with an unknown `kid` is not tried with other keys. The same key
    /// twice is one key. Returns several if the token names none of them, or if they share a `kid`: RFC 7517
    /// §4.5 only recommends distinct values.
    ///
    /// RFC 7517 §4.5, RFC 7515 §4.1.4, Appendix D.
    package func selectKey(keyID: String?, algorithm: SignatureAlgorithm) -> KeySelection {
        guard let keyID, !places.isEmpty else {
            return select(among: keys.indices, keyID: keyID, algorithm: algorithm)
        }
        return select(among: places[keyID] ?? [], keyID: keyID, algorithm: algorithm)
    }

    /// Selects among the keys with these indices; compares each `kid`, byte for byte.
    private func select(
        among indices: some Sequence<Int>, keyID: String?, algorithm: SignatureAlgorithm
    ) -> KeySelection {
        var isNamed = keyID == nil
        var found: JWK?
        var others: [JWK] = []
        var isComplete = true
        for index in indices {
            let key = keys[index]
            if let keyID {
                guard let name = key.keyID, CodePoints.equal(name, keyID) else { continue }
                isNamed = true
            }
            guard key.canVerify(algorithm) else { continue }
            guard let first = found else {
                found = key
                continue
            }
            guard !first.isSameKey(as: key), !others.contains(where: { $0.isSameKey(as: key) }) else {
                continue
            }
            guard others.count < Self.maximumCandidateCount - 1 else {
                isComplete = false
                break
            }
            others.append(key)
        }
        guard let found else { return isNamed ? .noCandidate : .unknownKeyID }
        return others.isEmpty ? .found(found) : .several([found] + others, isComplete: isComplete)
    }

    private static func hasPrivateMembers(_ entry: JSONValue) -> Bool {
        entry.object.map(JWK.hasPrivateMembers) ?? false
    }
}

extension JWK {
    /// Whether both are the same key, whatever their `kid` and other members.
    ///
    /// RFC 7638 §3.
    fileprivate func isSameKey(as other: JWK) -> Bool {
        CodePoints.equal(thumbprint, other.thumbprint)
    }
}

/// A skipped key of a set, identified by its index, since its `kid` is untrusted text.
package struct SkippedKey: Sendable, Hashable {
    /// The index in the array `keys`, from 0.
    package let index: Int
    /// Why it cannot be used.
    package let reason: JOSEError
}

/// The result of ``JWKSet/selectKey(keyID:algorithm:)``.
package enum KeySelection: Sendable {
    /// The key.
    case found(JWK)
    /// No key has the token's `kid`; the set may be out of date.
    case unknownKeyID
    /// No matching key can verify with the algorithm.
    case noCandidate
    /// Several different keys match, in the order of the set.
    ///
    /// Incomplete if there are more than ``JWKSet/maximumCandidateCount``.
    case several([JWK], isComplete: Bool)

    /// The keys to try, in order; empty if none matches.
    package var candidates: [JWK] {
        switch self {
        case .found(let key): [key]
        case .several(let keys, _): keys
        case .unknownKeyID, .noCandidate: []
        }
    }
}
