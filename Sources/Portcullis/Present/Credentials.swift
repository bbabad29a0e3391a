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
        var value: Range<Int>?
        for slot in head.slots where slot.known == .authorization {
            // RFC 6750 §3.1, RFC 9449 §7.2: repeated credentials are malformed; neither the first nor the
            // last counts.
            guard value == nil else {
                self = .repeated
                return
            }
            value = slot.valueRange
        }
        guard let value else {
            self = .absent(.missingCredentials)
            return
        }
        self = head.bytes.withUnsafeBytes { Self.read(value, in: $0) }
    }

    private static func read(_ value: Range<Int>, in bytes: UnsafeRawBufferPointer) -> Credentials {
        var position = value.lowerBound
        while position < value.upperBound, CharacterClass.isTokenCharacter(bytes[position]) { position += 1 }
        guard let scheme = scheme(bytes, value.lowerBound..<position) else {
            return .absent(.unsupportedScheme)
        }
        if position == value.upperBound { return .empty(scheme) }
        // RFC 9110 §11.4: the separator is 1*SP; a tab does not separate scheme and token.
        guard bytes[position] == 0x20 else { return .absent(.unsupportedScheme) }
        while position < value.upperBound, bytes[position] == 0x20 { position += 1 }
        guard position < value.upperBound else { return .empty(scheme) }
        let token = position..<value.upperBound
        return scheme == .bearer ? .bearer(token) : .dpop(token)
    }

    private static func scheme(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Challenge.Scheme? {
        if names(bytes, range, "bearer") { return .bearer }
        return names(bytes, range, "dpop") ? .dpop : nil
    }

    // RFC 9110 §11.1: scheme names are case-insensitive.
    @inline(__always)
    private static func names(
        _ bytes: UnsafeRawBufferPointer, _ scheme: Range<Int>, _ lowercased: StaticString
    ) -> Bool {
        guard scheme.count == lowercased.utf8CodeUnitCount else { return false }
        for index in 0..<scheme.count
        where CharacterClass.lowercase(bytes[scheme.lowerBound + index]) != lowercased.utf8Start[index] {
            return false
        }
        return true
    }
}
