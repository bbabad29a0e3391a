// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE

/// Tokens made of a good one that a resource must refuse.
struct ChangedTokens {
    /// A changed token, and what was changed.
    typealias Variant = (change: String, token: String)

    /// A name of nobody, which a server must not ask for keys.
    static let keyLocation = "https://portcullis-check.example/jwks.json"

    private let parts: [String]
    let header: JSONObject
    let claims: JSONObject

    /// Takes a JWT apart; `nil` for another token.
    init?(_ token: String) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let header = Self.object(parts[0]), let claims = Self.object(parts[1]) else {
            return nil
        }
        self.parts = parts
        self.header = header
        self.claims = claims
    }

    private static func object(_ part: String) -> JSONObject? {
        Base64URL.decode(part).flatMap { (try? JSONValue.parse($0))?.object }
    }

    private static func encoded(_ object: JSONObject) -> String { Base64URL.encode(object.serialized()) }

    /// One character of an opaque token changed.
    static func opaque(_ token: String) -> [Variant] {
        var bytes = Array(token.utf8)
        let middle = bytes.count / 2
        bytes[middle] = bytes[middle] == 0x61 ? 0x62 : 0x61
        return [("one character changed", String(decoding: bytes, as: UTF8.self))]
    }

    /// The signature changed, and the claims changed under the old signature.
    ///
    /// The bit is in the first byte: the last character of a signature may have unused bits.
    var tampered: [Variant] {
        var variants: [Variant] = []
        if var signature = Base64URL.decode(parts[2]), !signature.isEmpty {
            signature[0] ^= 1
            variants.append(
                ("one bit of the signature changed", "\(parts[0]).\(parts[1]).\(Base64URL.encode(signature))")
            )
        }
        var wider = claims
        wider["scope"] = .string((claims["scope"]?.string.map { $0 + " " } ?? "") + "admin")
        var later = claims
        later["exp"] = .number(JSONNumber((claims["exp"]?.number?.integer ?? 1_900_000_000) + 31_536_000))
        for (change, changed) in [("a wider scope", wider), ("a later exp", later)] {
            variants.append(
                ("\(change) under the old signature", "\(parts[0]).\(Self.encoded(changed)).\(parts[2])"))
        }
        return variants
    }

    /// No algorithm, in three spellings, without and with the old signature.
    ///
    /// RFC 8725 §2.1.
    var unsigned: [Variant] {
        ["none", "None", "nOnE"].flatMap { name in
            var header = header
            header["alg"] = .string(name)
            let start = "\(Self.encoded(header)).\(parts[1])."
            return [
                ("alg \(name) without a signature", start),
                ("alg \(name) with the old signature", start + parts[2]),
            ]
        }
    }

    /// Signed with HMAC, whose key is a public key of the issuer.
    ///
    /// RFC 8725 §2.1.
    func symmetric(_ keys: [JSONObject]) -> [Variant] {
        let own = keys.filter { $0["kid"] == header["kid"] }
        guard let key = own.first ?? keys.first else { return [] }
        let hashes: [(String, HashAlgorithm)] = [("HS256", .sha256), ("HS384", .sha384), ("HS512", .sha512)]
        return hashes.flatMap { name, hash in
            var header = header
            header["alg"] = .string(name)
            let input = "\(Self.encoded(header)).\(parts[1])"
            return KeyEncodings.all(of: key).map { encoding in
                let code = HMAC.code(over: Array(input.utf8), key: encoding.bytes, hash)
                return (
                    "\(name) with the public key as \(encoding.name)", "\(input).\(Base64URL.encode(code))"
                )
            }
        }
    }

    /// Signed with an own key that the token itself brings or names.
    ///
    /// RFC 7515 §4.1.2, §4.1.3, §4.1.6; RFC 8725 §3.10.
    var ownKey: [Variant] {
        guard let key = try? PrivateJWK.generate(.es256) else { return [] }
        var additions: [(String, JSONObject)] = [
            ("an own key in jwk", ["jwk": .object(key.publicKey.publicJSON)]),
            ("an own key at jku", ["jku": .string(Self.keyLocation)]),
        ]
        if let certificate = OwnCertificate.der(of: key) {
            additions.append(("an own key in x5c", ["x5c": [.string(Base64.encode(certificate))]]))
        }
        return additions.compactMap { change, members in
            var header = header
            header["alg"] = nil
            for member in members.members { header[member.name] = member.value }
            let token = try? key.sign(header: header, payload: claims.serialized(), algorithm: .es256)
            return token.map { (change, $0) }
        }
    }

    /// Headers and lengths that are hard to read, under the old signature.
    var awkward: [Variant] {
        var traversing = header
        traversing["kid"] = "../../x"
        var nested = header
        var value = JSONValue.array([])
        for _ in 0..<200 { value = .array([value]) }
        nested["x"] = value
        var long = claims
        long["pad"] = .string(String(repeating: "x", count: 15_000))
        return [
            ("kid ../../x", "\(Self.encoded(traversing)).\(parts[1]).\(parts[2])"),
            ("200 nested arrays in the header", "\(Self.encoded(nested)).\(parts[1]).\(parts[2])"),
            ("a length of 20 KB", "\(parts[0]).\(Self.encoded(long)).\(parts[2])"),
        ]
    }

    /// Whether the token is bound to a key of its client.
    ///
    /// RFC 9449 §6.1.
    var isBound: Bool { claims["cnf"]?.object?["jkt"]?.string != nil }
}
