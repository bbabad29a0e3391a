// SPDX-License-Identifier: MIT

import PortcullisHTTP
package import PortcullisJOSE

/// A token that a request presents and that nobody has checked: how it came, where it stands, and its hash.
///
/// Holds the token itself only if it came in another place than the head's fields.
package struct PresentedToken: Sendable {
    package let scheme: Challenge.Scheme
    package let digest: SHA256Digest
    private let range: Range<Int>
    /// The token, decoded, if it came in a form or the query.
    private let decoded: [UInt8]?

    /// A token in the bytes of the head.
    package init(_ scheme: Challenge.Scheme, range: Range<Int>, in bytes: borrowing [UInt8]) {
        self.scheme = scheme
        self.range = range
        decoded = nil
        digest = bytes.withUnsafeBytes { Digest.sha256(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// A token from a form or the query, which is a bearer token always.
    ///
    /// RFC 9449 §7.1: the scheme DPoP is for the `Authorization` field alone.
    init(decoded: [UInt8]) {
        scheme = .bearer
        range = 0..<0
        self.decoded = decoded
        digest = Digest.sha256(decoded)
    }

    /// How long the token is.
    var byteCount: Int { decoded?.count ?? range.count }

    /// The token.
    func bytes(in head: borrowing RequestHead) -> [UInt8] {
        decoded ?? Array(head.bytes[range])
    }

    /// Whether its characters are those of a token.
    ///
    /// RFC 6750 §2.1.
    func isToken68(in head: borrowing RequestHead) -> Bool {
        withBytes(in: head, Token68.matches)
    }

    /// Whether it has the form of a signed JWT.
    ///
    /// RFC 7515 §7.1.
    func isShapedAsJWS(in head: borrowing RequestHead) -> Bool {
        withBytes(in: head, Token68.isShapedAsJWS)
    }

    private func withBytes(
        in head: borrowing RequestHead, _ ask: (UnsafeRawBufferPointer) -> Bool
    ) -> Bool {
        if let decoded { return decoded.withUnsafeBytes(ask) }
        return head.bytes.withUnsafeBytes { ask(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}
