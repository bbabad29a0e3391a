// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisHTTP
public import PortcullisJOSE

/// A client with its own key that makes DPoP proofs for tests, including invalid ones.
///
/// RFC 9449 §4.
public struct TestDPoPClient: Sendable {
    /// The algorithm that proofs are signed with.
    public let algorithm: SignatureAlgorithm
    /// The client's own key pair.
    public let key: PrivateJWK
    private let time: TimeSource

    /// Creates a client with a new key.
    ///
    /// - Parameters:
    ///   - algorithm: The signature algorithm. Default: ES256.
    ///   - time: The clock for `iat`. Default: the machine's.
    public init(algorithm: SignatureAlgorithm = .es256, time: TimeSource = .system) {
        self.algorithm = algorithm
        self.time = time
        do throws(JOSEError) {
            key = try PrivateJWK.generate(algorithm)
        } catch {
            preconditionFailure("OpenSSL could not generate a key.")
        }
    }

    /// The key's thumbprint, the `cnf.jkt` of tokens bound to it.
    ///
    /// RFC 9449 §6.1.
    public var thumbprint: String { key.publicKey.thumbprint }

    /// Makes a proof for one request.
    ///
    /// - Parameters:
    ///   - method: The method of the request.
    ///   - uri: The URI of the request, without query and fragment.
    ///   - token: The access token of the request.
    ///   - nonce: The nonce of the server's last response, or `nil`.
    ///   - extra: Claims that are added or replace others; they may make the proof invalid.
    ///   - omitting: Names of claims to omit.
    ///   - extraHeader: Header parameters that are added or replace others; they may make the proof invalid.
    ///
    /// RFC 9449 §4.2.
    public func proof(
        _ method: Method = .get, _ uri: String, token: String, nonce: String? = nil,
        claims extra: JSONObject = [:], omitting: [String] = [], header extraHeader: JSONObject = [:]
    ) -> String {
        var claims: JSONObject = [
            "jti": .string(Base64URL.encode(SecureRandom.bytes(12))), "htm": .string(method.name),
            "htu": .string(uri), "iat": .number(issueTime),
            "ath": .string(Digest.sha256(Array(token.utf8)).base64URL),
        ]
        claims["nonce"] = nonce.map(JSONValue.string)
        for member in extra.members { claims[member.name] = member.value }
        for name in omitting { claims[name] = nil }
        var key = key.publicKey.publicJSON
        for name in ["kid", "use", "alg", "key_ops"] { key[name] = nil }
        var header: JSONObject = ["typ": "dpop+jwt", "jwk": .object(key)]
        for member in extraHeader.members { header[member.name] = member.value }
        do throws(JOSEError) {
            return try self.key.sign(header: header, payload: claims.serialized(), algorithm: algorithm)
        } catch {
            preconditionFailure("OpenSSL could not sign.")
        }
    }
}

extension TestDPoPClient {
    // With a fraction, so that a proof made right after the resource was created is not older than it.
    fileprivate var issueTime: JSONNumber {
        let now = time.now()
        return Int(exactly: now.seconds).map { JSONNumber($0) } ?? JSONNumber(now.seconds) ?? JSONNumber(0)
    }
}

extension RequestHead {
    /// Creates a request with a token in the DPoP scheme and these proofs.
    ///
    /// Traps if the target or a value is malformed.
    ///
    /// RFC 9449 §7.1.
    public static func dpop(
        _ method: Method = .get, _ target: String, token: String, proofs: [String],
        fields: [(String, String)] = []
    ) -> RequestHead {
        let credentials = [("Authorization", "DPoP \(token)")] + proofs.map { ("DPoP", $0) }
        return test(method, target, fields: credentials + fields)
    }
}
