// SPDX-License-Identifier: MIT

/// A signed token in compact serialization, parsed but not verified.
///
/// RFC 7515 §7.1.
package struct CompactJWS: Sendable {
    /// The default maximum length of a token in bytes.
    package static let defaultMaximumByteCount = 16_384

    /// The checked header.
    package let header: JOSEHeader
    /// The decoded payload, untrusted until ``verify(with:algorithm:)`` returns.
    package let payload: [UInt8]

    private let bytes: [UInt8]
    private let signingInputByteCount: Int
    private let signature: [UInt8]

    /// Parses a token, without any cryptography.
    ///
    /// - Parameter known: The header of an earlier token with the same first part, see
    ///   ``token(_:beginsWith:)``.
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
        // RFC 7515 §5.2: the signature covers the bytes as received, never a re-encoding.
        signingInputByteCount = dots.second
    }

    /// The positions of the first two dots, and the number of dots.
    private static func dots(in token: [UInt8]) -> (first: Int, second: Int, count: Int) {
        var dots = (first: 0, second: 0, count: 0)
        token.withUnsafeBytes { bytes in
            var index = 0
            while index < bytes.count {
                // Dots are rare: skip eight bytes at a time if none of them is a dot.
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

    /// Whether a token has this encoded header, so that the parsed header can be reused.
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

    /// Parses a token and copies its bytes.
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

    /// Verifies the token's signature with this key and this algorithm.
    ///
    /// The caller chooses the algorithm from its own list and the key; the header must name the same one.
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
