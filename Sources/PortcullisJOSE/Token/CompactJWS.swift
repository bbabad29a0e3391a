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
    /// - Parameter known: The header that ``headerPart(of:)`` of this token stands for, if that was read before.
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
        let headerPart = token[..<dots[0]]
        let payloadPart = token[(dots[0] + 1)..<dots[1]]
        let signaturePart = token[(dots[1] + 1)...]
        guard !headerPart.isEmpty, !payloadPart.isEmpty, !signaturePart.isEmpty else { throw .wrongPartCount }
        guard let payload = Base64URL.decode(payloadPart), let signature = Base64URL.decode(signaturePart)
        else { throw .malformedBase64URL }

        if let known { header = known } else { header = try Self.readHeader(headerPart, limits) }
        self.payload = payload
        self.signature = signature
        bytes = token
        // RFC 7515 §5.2: the signature is over the bytes as received, never over something encoded anew.
        signingInputByteCount = dots[1]
    }

    /// Where the dots are; no more than five are looked for.
    private static func dots(in token: [UInt8]) -> [Int] {
        var dots: [Int] = []
        dots.reserveCapacity(5)
        var rest = token[...]
        while dots.count < 5, let dot = rest.firstIndex(of: UInt8(ascii: ".")) {
            dots.append(dot)
            rest = rest[(dot + 1)...]
        }
        return dots
    }

    private static func readHeader(_ part: ArraySlice<UInt8>, _ limits: JSONLimits) throws(JOSEError)
        -> JOSEHeader
    {
        guard let bytes = Base64URL.decode(part) else { throw .malformedBase64URL }
        return try JOSEHeader(JSONObject(strictly: bytes, limits: limits))
    }

    /// The encoded header of a token, which is all that comes before the first dot.
    ///
    /// RFC 7515 §7.1.
    package static func headerPart(of token: [UInt8]) -> ArraySlice<UInt8> {
        token.prefix { $0 != UInt8(ascii: ".") }
    }

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
