// SPDX-License-Identifier: MIT

/// The decoded public members of a key, with checked lengths and strength, before OpenSSL decodes it.
enum PublicKeyMaterial: Sendable, Hashable {
    case rsa(modulus: [UInt8], exponent: [UInt8])
    case ellipticCurve(EllipticCurve, x: [UInt8], y: [UInt8])
    case ed25519(x: [UInt8])

    var shape: KeyShape {
        switch self {
        case .rsa: .rsa
        case .ellipticCurve(let curve, _, _): .ellipticCurve(curve)
        case .ed25519: .ed25519
        }
    }

    /// RFC 7518 §6.2, §6.3; RFC 8037 §2.
    init(_ json: JSONObject) throws(JOSEError) {
        guard let type = json["kty"]?.string else { throw .malformedKey }
        switch Array(type.utf8) {
        case Array("RSA".utf8): self = try Self.rsa(json)
        case Array("EC".utf8): self = try Self.ellipticCurve(json)
        case Array("OKP".utf8): self = try Self.ed25519(json)
        default: throw .unsupportedKeyType
        }
    }

    /// The members that RFC 7638 §3.2 hashes, in its order, spelled canonically.
    var requiredMembers: JSONObject {
        switch self {
        case .rsa(let modulus, let exponent):
            ["e": .string(Base64URL.encode(exponent)), "kty": "RSA", "n": .string(Base64URL.encode(modulus))]
        case .ellipticCurve(let curve, let x, let y):
            [
                "crv": .string(curve.rawValue), "kty": "EC",
                "x": .string(Base64URL.encode(x)), "y": .string(Base64URL.encode(y)),
            ]
        case .ed25519(let x):
            ["crv": "Ed25519", "kty": "OKP", "x": .string(Base64URL.encode(x))]
        }
    }

    private static func rsa(_ json: JSONObject) throws(JOSEError) -> PublicKeyMaterial {
        // RFC 7518 §2 forbids leading zeros; in the field they are common, and they change no number.
        let modulus = try Array(octets("n", of: json).drop { $0 == 0 })
        let exponent = try Array(octets("e", of: json).drop { $0 == 0 })
        guard let first = modulus.first, let last = modulus.last, let exponentLast = exponent.last
        else { throw .malformedKey }
        let bitCount = modulus.count * 8 - first.leadingZeroBitCount
        let isAboveOne = exponent.count > 1 || exponentLast >= 3
        guard RSAStrength.modulusBitCounts.contains(bitCount), last & 1 == 1,
            exponent.count <= RSAStrength.maximumExponentByteCount, exponentLast & 1 == 1, isAboveOne
        else { throw .unsuitableKeyStrength }
        return .rsa(modulus: modulus, exponent: exponent)
    }

    private static func ellipticCurve(_ json: JSONObject) throws(JOSEError) -> PublicKeyMaterial {
        guard let name = json["crv"]?.string else { throw .malformedKey }
        guard let curve = EllipticCurve.allCases.first(where: { CodePoints.equal($0.rawValue, name) }) else {
            throw .unsupportedCurve
        }
        let x = try octets("x", of: json)
        let y = try octets("y", of: json)
        // RFC 7518 §6.2.1.2: the full length, leading zeros included.
        guard x.count == curve.coordinateByteCount, y.count == curve.coordinateByteCount else {
            throw .malformedKey
        }
        return .ellipticCurve(curve, x: x, y: y)
    }

    private static func ed25519(_ json: JSONObject) throws(JOSEError) -> PublicKeyMaterial {
        guard let name = json["crv"]?.string else { throw .malformedKey }
        guard CodePoints.equal(name, "Ed25519") else { throw .unsupportedCurve }
        let x = try octets("x", of: json)
        guard x.count == 32 else { throw .malformedKey }
        guard !Ed25519Points.isOfSmallOrder(x) else { throw .unsuitableKeyStrength }
        guard Ed25519Points.isReduced(x) else { throw .inconsistentKey }
        return .ed25519(x: x)
    }

    static func octets(_ name: String, of json: JSONObject) throws(JOSEError) -> [UInt8] {
        guard let text = json[name]?.string else { throw .malformedKey }
        guard let octets = Base64URL.decode(text) else { throw .malformedBase64URL }
        return octets
    }
}

/// The bounds of RSA keys: smaller keys are too weak, and larger ones make verification too expensive.
///
/// RFC 7518 §3.3.
enum RSAStrength {
    static let modulusBitCounts = 2048...8192
    /// The maximum length of the exponent: four bytes, so it is below 2^32.
    static let maximumExponentByteCount = 4
}
