// SPDX-License-Identifier: MIT

package import PortcullisHTTP

/// The credentials of a request, located in the bytes of its head without copying them.
///
/// RFC 6750 §2.1, RFC 9110 §11.6.2.
package enum Credentials: Sendable, Hashable {
    /// The scheme `Bearer`, and the range of its token in the bytes of the head.
    ///
    /// The characters of the token are not validated.
    case bearer(Range<Int>)
    /// The scheme `DPoP`, and the range of its token. RFC 9449 §7.1.
    case dpop(Range<Int>)
    /// No credentials, or an unsupported scheme.
    case absent(RefusalReason)
    /// A scheme without a token.
    case empty(Challenge.Scheme)
    /// More than one `Authorization` field.
    case repeated

    /// Reads the `Authorization` field.
    package init(of head: borrowing RequestHead) {
        guard let (value, count) = head.findCredentials() else {
            self = .absent(.missingCredentials)
            return
        }
        // RFC 6750 §3.1, RFC 9449 §7.2: repeated credentials are malformed; neither the first nor the last
        // counts.
        guard count == 1 else {
            self = .repeated
            return
        }
        self = head.bytes.withUnsafeBytes { Self.read(value, in: $0) }
    }

    private static func read(_ value: Range<Int>, in bytes: UnsafeRawBufferPointer) -> Credentials {
        guard let (scheme, end) = scheme(bytes, value) else { return .absent(.unsupportedScheme) }
        var position = end
        if position == value.upperBound { return .empty(scheme) }
        // RFC 9110 §11.4: the separator is 1*SP; a tab does not separate scheme and token.
        guard bytes[position] == 0x20 else { return .absent(.unsupportedScheme) }
        while position < value.upperBound, bytes[position] == 0x20 { position += 1 }
        guard position < value.upperBound else { return .empty(scheme) }
        let token = position..<value.upperBound
        return scheme == .bearer ? .bearer(token) : .dpop(token)
    }

    /// The scheme whose name a value begins with, and where the name ends.
    ///
    /// Where letters follow, it is the beginning of another name.
    private static func scheme(
        _ bytes: UnsafeRawBufferPointer, _ value: Range<Int>
    ) -> (Challenge.Scheme, end: Int)? {
        if let end = end(of: "bearer", bytes, value) { return (.bearer, end) }
        return end(of: "dpop", bytes, value).map { (.dpop, $0) }
    }

    // RFC 9110 §11.1: scheme names compare without regard to case. Only letters become letters by this bit.
    @inline(__always)
    private static func end(
        of lowercased: StaticString, _ bytes: UnsafeRawBufferPointer, _ value: Range<Int>
    ) -> Int? {
        let count = lowercased.utf8CodeUnitCount
        guard value.count >= count else { return nil }
        for index in 0..<count
        where bytes[value.lowerBound + index] | 0x20 != lowercased.utf8Start[index] {
            return nil
        }
        return value.lowerBound + count
    }
}
