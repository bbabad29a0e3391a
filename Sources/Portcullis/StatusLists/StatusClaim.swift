// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// The claim `status` of an access token.
///
/// draft-ietf-oauth-status-list §6.1, §6.2.
enum StatusClaim: Sendable, Hashable {
    /// The token has none.
    case absent
    /// The list, and the token's place in it.
    case reference(StatusReference)
    /// It can't be followed.
    case faulty(RefusalReason)

    init(_ claims: JSONObject) {
        guard let status = claims["status"] else {
            self = .absent
            return
        }
        guard let mechanisms = status.object else {
            self = .faulty(.malformedStatus)
            return
        }
        // Other mechanisms may stand beside the list. Without the list the status is unknown.
        guard let list = mechanisms["status_list"] else {
            self = .faulty(mechanisms.members.isEmpty ? .malformedStatus : .unsupportedStatus)
            return
        }
        guard let members = list.object, let index = members["idx"]?.number?.integer, index >= 0,
            let uri = members["uri"]?.string, (1...StatusReference.maxURIByteCount).contains(uri.utf8.count),
            Self.isAbsolute(uri)
        else {
            self = .faulty(.malformedStatus)
            return
        }
        self = .reference(StatusReference(uri: uri, index: index))
    }

    /// RFC 3986 §3.1: a scheme and a colon come first.
    private static func isAbsolute(_ uri: String) -> Bool {
        guard let colon = uri.utf8.firstIndex(of: UInt8(ascii: ":")), let first = uri.utf8.first else {
            return false
        }
        let isLetter = { (byte: UInt8) in (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) }
        return isLetter(first)
            && uri.utf8[..<colon].allSatisfy { byte in
                isLetter(byte) || (0x30...0x39).contains(byte) || [0x2B, 0x2D, 0x2E].contains(byte)
            }
    }
}

/// A list, and a place in it.
struct StatusReference: Sendable, Hashable {
    /// The longest URI of a list, in bytes; a longer one makes the token malformed.
    static let maxURIByteCount = 2048

    let uri: String
    let index: Int
}
