// SPDX-License-Identifier: MIT

/// A signed token in compact form, taken apart but not yet verified.
///
/// RFC 7515 §7.1.
package struct CompactJWS: Sendable {
    /// How long a token may be unless the caller says otherwise, in bytes.
    package static let defaultMaximumByteCount = 16_384

    /// The header, checked.
    package let header: JOSEHeader
    /// The decoded payload: untrusted before ``verify(with:algorithm:)`` has returned.
    package let payload: [UInt8]

    private let bytes: [UInt8]
    private let signingInputByteCount: Int
    private let signature: [UInt8]

    /// Takes a token apart: cheap, without any cryptography.
    ///
    /// - Parameter known: The header, if a token that ``token(_:beginsWith:)`` the same part was read before.
    /// - Throws: `tokenTooLong`, `wrongPartCount`, `encryptedToken`, `malformedBase64URL`, `malformedJSON`,
    ///   `notAnObject`, `malformedHeader`, `unsupportedExtension`, `nestedToken`.
    ///
    /// RFC 7515 §5.2, §7.1.
    package init(
        _ token: [UInt8],
        maximumByteCount: Int = defaultMaximumByteCount,
        limits: JSONLimits = .default,
        header known: JOSEHeader? = nil
    ) throws(JOSEError) {
        guard token.count <= maximumByteCount else { throw .tokenTooLong }
        let dots = Self.dots(in: token)
        guard dots.count == 2 else { throw dots.count == 4 ? .encryptedToken : .wrongPartCount }
        let headerPart = token[..<dots.first]
        let payloadPart = token[(dots.first + 1)..<dots.second]
        let signaturePart = token[(dots.second + 1)...]
        guard !headerPart.isEmpty, !payloadPart.isEmpty, !signaturePart.isEmpty else { throw .wrongPartCount }
        guard let payload = Base64URL.decode(payloadPart), let signature = Base64URL.decode(signaturePart)
        else { throw .malformedBase64URL }

        if let known { header = known } else { header = try Self.readHeader(headerPart, limits) }
        self.payload = payload
        self.signature = signature
        bytes = token
        // RFC 7515 §5.2: the signature is over the bytes as received, never over something encoded anew.
        signingInputByteCount = dots.second
    }

    /// Where the first two dots are, and how many there are.
    private static func dots(in token: [UInt8]) -> (first: Int, second: Int, count: Int) {
        var dots = (first: 0, second: 0, count: 0)
        token.withUnsafeBytes { bytes in
            var index = 0
            while index < bytes.count {
                // Few bytes are dots: eight of them at a time that are none.
                if index + 8 <= bytes.count, EqualBytes.noneOfEight(is: UInt8(ascii: "."), bytes, at: index) {
                    index += 8
                    continue
                }
                if bytes[index] == UInt8(ascii: ".") {
                    if dots.count == 0 { dots.first = index }
                    if dots.count == 1 { dots.second = index }
                    dots.count += 1
                }
                index += 1
            }
        }
        return dots
    }

    private static func readHeader(_ part: ArraySlice<UInt8>, _ limits: JSONLimits) throws(JOSEError)
        -> JOSEHeader
    {
        guard let bytes = Base64URL.decode(part) else { throw .malformedBase64URL }
        return try JOSEHeader(JSONObject(strictly: bytes, limits: limits))
    }

    /// Whether a token begins with this encoded header, so that it would be read alike.
    ///
    /// RFC 7515 §7.1.
    package static func token(_ token: [UInt8], beginsWith headerPart: [UInt8]) -> Bool {
        let count = headerPart.count
        guard token.count > count, token[count] == UInt8(ascii: ".") else { return false }
        return token.withUnsafeBytes { token in
            headerPart.withUnsafeBytes {
                EqualBytes.are(UnsafeRawBufferPointer(rebasing: token[..<count]), $0)
            }
        }
    }

    /// The encoded header.
    ///
    /// RFC 7515 §7.1.
    package var headerPart: [UInt8] { Array(bytes.prefix { $0 != UInt8(ascii: ".") }) }

    /// Takes a token apart, copying its bytes.
    ///
    /// RFC 7515 §5.2, §7.1.
    package init(
        _ token: UnsafeRawBufferPointer,
        maximumByteCount: Int = defaultMaximumByteCount,
        limits: JSONLimits = .default
    ) throws(JOSEError) {
        guard token.count <= maximumByteCount else { throw .tokenTooLong }
        try self.init(Array(token), maximumByteCount: maximumByteCount, limits: limits)
    }

    /// Checks that the token was signed with this key and this algorithm.
    ///
    /// The caller decides on the algorithm, from its own list and the key; the header must agree.
    ///
    /// - Throws: `algorithmMismatch`, `keyNotUsable`, `invalidSignature`, `cryptographyUnavailable`.
    ///
    /// RFC 7515 §5.2, RFC 8725 §3.1.
    package func verify(with key: JWK, algorithm: SignatureAlgorithm) throws(JOSEError) {
        guard header.algorithm == algorithm else { throw .algorithmMismatch }
        guard key.canVerify(algorithm) else { throw .keyNotUsable }
        guard
            try key.verifies(signature, over: bytes, count: signingInputByteCount, algorithm: algorithm)
        else { throw .invalidSignature }
    }
}
