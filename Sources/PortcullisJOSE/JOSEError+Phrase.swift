// SPDX-License-Identifier: MIT

extension JOSEError {
    /// A phrase for a log, without any part of the token or the key.
    package var phrase: String {
        switch self {
        case .malformedJSON(let error): "it is not strict JSON: \(JSONProblem.phrase(for: error.reason))"
        case .notAnObject: "it is not a JSON object"
        case .tokenTooLong: "the token is too long"
        case .wrongPartCount: "the token does not have three parts"
        case .encryptedToken: "the token is encrypted"
        case .malformedBase64URL: "it has a part that is not base64url"
        case .malformedHeader: "the header lacks a parameter, or has one of the wrong type"
        case .unsupportedExtension: "the header has extensions that are not supported"
        case .nestedToken: "the payload is itself a JWT"
        case .algorithmMismatch: "the algorithm is not the expected one"
        case .keyNotUsable: "the key is for another algorithm, curve or use"
        case .invalidSignature: "the signature does not verify"
        case .unsupportedKeyType: "the type of the key is not supported"
        case .unsupportedCurve: "the curve of the key is not supported"
        case .malformedKey: "a member of the key is absent or malformed"
        case .unsuitableKeyStrength: "the key is too weak or too large"
        case .inconsistentKey: "the key is not a point of its curve, or its parts do not match"
        case .malformedKeySet: "it is not an object with an array of keys"
        case .tooManyKeys: "the key set has too many keys"
        case .malformedClaim: "a claim has the wrong type"
        case .cryptographyUnavailable: "OpenSSL failed"
        }
    }
}

extension JOSEError: CustomStringConvertible {
    /// A phrase for a log, without any part of the token or the key.
    public var description: String { phrase }
}
