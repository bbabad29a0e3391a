// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisHTTP
public import PortcullisJOSE

/// A client with a key of its own, which makes DPoP proofs for tests.
///
/// Makes wrong proofs on request too.
///
/// RFC 9449 §4.
public struct TestDPoPClient: Sendable {
    /// The algorithm that proofs are signed with.
    public let algorithm: SignatureAlgorithm
    /// The key pair, made for this client alone.
    public let key: PrivateJWK
    private let time: TimeSource

    /// Makes a client with a new key.
    ///
    /// - Parameters:
    ///   - algorithm: The algorithm. Default ES256.
    ///   - time: The clock that `iat` is read from. Default the machine's.
    public init(algorithm: SignatureAlgorithm = .es256, time: TimeSource = .system) {
        self.algorithm = algorithm
        self.time = time
        do throws(JOSEError) {
            key = try PrivateJWK.generate(algorithm)
        } catch {
            preconditionFailure("OpenSSL could not make a key.")
        }
    }

    /// The thumbprint of the key, as `cnf.jkt` of its tokens has it.
    ///
    /// RFC 9449 §6.1.
    public var thumbprint: String { key.publicKey.thumbprint }

    /// Makes a proof for one request.
    ///
    /// - Parameters:
    ///   - method: The method of the request.
    ///   - uri: The URI of the request, without query and fragment.
    ///   - token: The access token that goes with it.
    ///   - nonce: The nonce of the server's last answer, or nothing.
    ///   - extra: Claims that replace or join the others, even if they make the proof wrong.
    ///   - omitting: Names of claims to leave out.
    ///   - extraHeader: Header parameters that replace or join the others, even if they make the proof wrong.
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
    // With the fraction, so that a proof made right after the resource was declared is not from before it.
    fileprivate var issueTime: JSONNumber {
        let now = time.now()
        return Int(exactly: now.seconds).map { JSONNumber($0) } ?? JSONNumber(now.seconds) ?? JSONNumber(0)
    }
}

extension RequestHead {
    /// A request with a token in the scheme DPoP, and with these proofs.
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
