// SPDX-License-Identifier: MIT

/// A signature algorithm of tokens; the raw value is its registered name.
///
/// All are asymmetric. `none` and the HMAC algorithms are not cases, so no setting can allow them.
///
/// RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2.
public enum SignatureAlgorithm: String, Sendable, CaseIterable, Hashable {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    case rs256 = "RS256"
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    case rs384 = "RS384"
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    case rs512 = "RS512"
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes.
    case ps256 = "PS256"
    /// RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes.
    case ps384 = "PS384"
    /// RSASSA-PSS with SHA-512, MGF1 with SHA-512 and a salt of 64 bytes.
    case ps512 = "PS512"
    /// ECDSA on P-256 with SHA-256.
    case es256 = "ES256"
    /// ECDSA on P-384 with SHA-384.
    case es384 = "ES384"
    /// ECDSA on P-521 with SHA-512.
    case es512 = "ES512"
    /// EdDSA under its old name; always Ed25519, never Ed448.
    case eddsa = "EdDSA"
    /// EdDSA with Ed25519, under its fully specified name.
    case ed25519 = "Ed25519"

    /// Creates an algorithm from its registered name, compared exactly; `nil` for any other name.
    ///
    /// RFC 7515 §4.1.1.
    public init?(rawValue: String) {
        guard let match = Self.allCases.first(where: { CodePoints.equal($0.rawValue, rawValue) }) else {
            return nil
        }
        self = match
    }

    /// The type of key that this algorithm needs.
    var keyShape: KeyShape {
        switch self {
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: .rsa
        case .es256: .ellipticCurve(.p256)
        case .es384: .ellipticCurve(.p384)
        case .es512: .ellipticCurve(.p521)
        case .eddsa, .ed25519: .ed25519
        }
    }

    /// The hash to sign, or `nil` if the algorithm hashes the message itself.
    var hash: HashAlgorithm? {
        switch self {
        case .rs256, .ps256, .es256: .sha256
        case .rs384, .ps384, .es384: .sha384
        case .rs512, .ps512, .es512: .sha512
        case .eddsa, .ed25519: nil
        }
    }

    /// Whether the name leaves open what `Ed25519` says: the curve.
    ///
    /// RFC 9864 §2.2, §4.1.2.
    package var isPolymorphic: Bool { self == .eddsa }

    var usesPSS: Bool {
        switch self {
        case .ps256, .ps384, .ps512: true
        default: false
        }
    }
}

/// The supported types of key.
enum KeyShape: Sendable, Hashable {
    case rsa
    case ellipticCurve(EllipticCurve)
    case ed25519

    /// The registered `kty`.
    var typeName: String {
        switch self {
        case .rsa: "RSA"
        case .ellipticCurve: "EC"
        case .ed25519: "OKP"
        }
    }
}

/// The curves of RFC 7518 §6.2.1.1; the raw value is the registered name, which OpenSSL also uses.
enum EllipticCurve: String, Sendable, Hashable, CaseIterable {
    case p256 = "P-256"
    case p384 = "P-384"
    case p521 = "P-521"

    /// The length of a coordinate, of a private key, and of each half of a signature.
    ///
    /// RFC 7518 §6.2.1.2, §3.4.
    var coordinateByteCount: Int {
        switch self {
        case .p256: 32
        case .p384: 48
        case .p521: 66
        }
    }
}
