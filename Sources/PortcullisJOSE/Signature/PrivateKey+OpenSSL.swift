// SPDX-License-Identifier: MIT

import COpenSSL

/// A private key that OpenSSL has generated or decoded.
final class PrivateKey: Sendable {
    let shape: KeyShape
    // SAFETY: after init the key is only read. Each thread that signs with it uses its own EVP_MD_CTX, which
    // OpenSSL allows.
    nonisolated(unsafe) private let pointer: OpaquePointer

    /// Generates a key; RSA keys have 2048 bits.
    init(generating shape: KeyShape) throws(JOSEError) {
        ERR_clear_error()
        self.shape = shape
        pointer = try Self.generate(shape)
    }

    /// Decodes a key pair whose public half has been checked.
    init(_ material: PrivateKeyMaterial) throws(JOSEError) {
        ERR_clear_error()
        shape = material.publicHalf.shape
        guard let pointer = try Self.decode(material) else { throw .inconsistentKey }
        self.pointer = pointer
    }

    deinit {
        EVP_PKEY_free(pointer)
    }

    /// Signs a message in the format of RFC 7518.
    func sign(_ message: [UInt8], algorithm: SignatureAlgorithm) throws(JOSEError) -> [UInt8] {
        guard algorithm.keyShape == shape else { throw .keyNotUsable }
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let context = EVP_MD_CTX_new() else { throw .cryptographyUnavailable }
        defer { EVP_MD_CTX_free(context) }
        var keyContext: OpaquePointer?
        var length = 0
        guard EVP_DigestSignInit_ex(context, &keyContext, algorithm.hash?.name, nil, nil, pointer, nil) == 1,
            SignatureScheme.configure(keyContext, for: algorithm),
            DeterministicNonce.choose(keyContext, for: algorithm),
            EVP_DigestSign(context, nil, &length, message, message.count) == 1
        else { throw .cryptographyUnavailable }
        var signature = [UInt8](repeating: 0, count: length)
        guard EVP_DigestSign(context, &signature, &length, message, message.count) == 1 else {
            throw .cryptographyUnavailable
        }
        signature.removeLast(signature.count - length)
        guard case .ellipticCurve(let curve) = shape else { return signature }
        guard let raw = ECDSASignature.raw(fromDER: signature, curve: curve) else {
            throw .cryptographyUnavailable
        }
        return raw
    }

    /// The members of the key, public and private, in the order of RFC 7518 §6.
    func members() throws(JOSEError) -> JSONObject {
        switch shape {
        case .rsa:
            return try numbers(["kty": "RSA"], PrivateKeyMaterial.rsaParameterNames, count: nil)
        case .ellipticCurve(let curve):
            return try numbers(
                ["kty": "EC", "crv": .string(curve.rawValue)],
                [("x", "qx"), ("y", "qy"), ("d", "priv")],
                count: curve.coordinateByteCount
            )
        case .ed25519:
            var x = [UInt8](repeating: 0, count: 32)
            var d = x
            var length = x.count
            guard EVP_PKEY_get_raw_public_key(pointer, &x, &length) == 1,
                EVP_PKEY_get_raw_private_key(pointer, &d, &length) == 1
            else { throw .cryptographyUnavailable }
            return [
                "kty": "OKP", "crv": "Ed25519",
                "x": .string(Base64URL.encode(x)), "d": .string(Base64URL.encode(d)),
            ]
        }
    }

    private func numbers(
        _ start: JSONObject,
        _ names: [(member: String, parameter: StaticString)],
        count: Int?
    ) throws(JOSEError) -> JSONObject {
        var members = start
        for name in names {
            var number: OpaquePointer?
            guard EVP_PKEY_get_bn_param(pointer, name.parameter.description, &number) == 1, let number else {
                throw .cryptographyUnavailable
            }
            defer { BN_clear_free(number) }
            let bytes = count.map { BigNumber.bytes(number, count: $0) } ?? BigNumber.bytes(number)
            guard let bytes else { throw .cryptographyUnavailable }
            members[name.member] = .string(Base64URL.encode(bytes))
        }
        return members
    }

    private static func generate(_ shape: KeyShape) throws(JOSEError) -> OpaquePointer {
        let type =
            switch shape {
            case .rsa: "RSA"
            case .ellipticCurve: "EC"
            case .ed25519: "ED25519"
            }
        guard let context = EVP_PKEY_CTX_new_from_name(nil, type, nil) else { throw .cryptographyUnavailable }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_keygen_init(context) == 1 else { throw .cryptographyUnavailable }
        switch shape {
        case .rsa:
            guard EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1 else { throw .cryptographyUnavailable }
        case .ellipticCurve(let curve):
            guard EVP_PKEY_CTX_set_group_name(context, curve.rawValue) == 1 else {
                throw .cryptographyUnavailable
            }
        case .ed25519:
            break
        }
        var key: OpaquePointer?
        guard EVP_PKEY_generate(context, &key) == 1, let key else { throw .cryptographyUnavailable }
        return key
    }

    private static func decode(_ material: PrivateKeyMaterial) throws(JOSEError) -> OpaquePointer? {
        var parameters = try KeyParameters()
        switch material.publicHalf {
        case .rsa(let modulus, let exponent):
            try parameters.add("n", number: modulus)
            try parameters.add("e", number: exponent)
            for (name, value) in material.secrets {
                try parameters.add(name, number: value)
            }
            return try parameters.makeKey(type: "RSA", .pair)
        case .ellipticCurve(let curve, let x, let y):
            try parameters.add("group", text: curve.rawValue)
            try parameters.add("pub", octets: [0x04] + x + y)
            for (name, value) in material.secrets {
                try parameters.add(name, number: value)
            }
            return try parameters.makeKey(type: "EC", .pair)
        case .ed25519:
            guard let secret = material.secrets.first?.value else { return nil }
            return EVP_PKEY_new_raw_private_key_ex(nil, "ED25519", nil, secret, secret.count)
        }
    }
}
