// SPDX-License-Identifier: MIT

package import PortcullisHTTP

/// What a request presents as credentials, found in the bytes of its head without copying them.
///
/// RFC 6750 §2.1, RFC 9110 §11.6.2.
package enum Credentials: Sendable, Hashable {
    /// The scheme `Bearer`, and where its token stands in the bytes of the head.
    ///
    /// The characters of the token have not been looked at.
    case bearer(Range<Int>)
    /// None, or none that the resource takes.
    case absent(RefusalReason)
    /// Something that can't be credentials.
    case malformed(RefusalReason)

    /// Reads the `Authorization` field.
    package init(of head: borrowing RequestHead) {
        var value: Range<Int>?
        for slot in head.slots where slot.known == .authorization {
            // RFC 6750 §3.1, RFC 9449 §7.2: repeated credentials are malformed; neither the first nor the last counts.
            guard value == nil else {
                self = .malformed(.repeatedCredentials)
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
        let scheme = value.lowerBound..<position
        guard isBearer(bytes, scheme) else { return .absent(.unsupportedScheme) }
        if position == value.upperBound { return .malformed(.emptyCredentials) }
        // RFC 9110 §11.4: the separator is 1*SP; behind a tab there are no credentials of this scheme.
        guard bytes[position] == 0x20 else { return .absent(.unsupportedScheme) }
        while position < value.upperBound, bytes[position] == 0x20 { position += 1 }
        return position == value.upperBound
            ? .malformed(.emptyCredentials) : .bearer(position..<value.upperBound)
    }

    // RFC 9110 §11.1: scheme names compare without regard to case.
    @inline(__always)
    private static func isBearer(_ bytes: UnsafeRawBufferPointer, _ scheme: Range<Int>) -> Bool {
        let name: StaticString = "bearer"
        guard scheme.count == 6 else { return false }
        for index in 0..<6 where bytes[scheme.lowerBound + index] | 0x20 != name.utf8Start[index] {
            return false
        }
        return true
    }

    /// Whether bytes are a token: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
    ///
    /// RFC 6750 §2.1.
    package static func isToken68(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var end = bytes.count
        while end > 0, bytes[end - 1] == 0x3D { end -= 1 }
        guard end > 0 else { return false }
        for index in 0..<end where !CharacterClass.isToken68Character(bytes[index]) { return false }
        return true
    }
}
