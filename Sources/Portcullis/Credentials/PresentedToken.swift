// SPDX-License-Identifier: MIT

import PortcullisHTTP
package import PortcullisJOSE

/// An unchecked token of a request: its scheme, its position and its hash.
///
/// Stores the token itself only if it is not in the `Authorization` field.
package struct PresentedToken: Sendable {
    package let scheme: Challenge.Scheme
    package let digest: SHA256Digest
    private let range: Range<Int>
    /// The decoded token, if it is in a form or the query.
    private let decoded: [UInt8]?

    /// Makes a token from a range of the head.
    package init(_ scheme: Challenge.Scheme, range: Range<Int>, in bytes: borrowing [UInt8]) {
        self.scheme = scheme
        self.range = range
        decoded = nil
        digest = bytes.withUnsafeBytes { Digest.sha256(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// Makes a token from a form or the query, which is always a bearer token.
    ///
    /// RFC 9449 §7.1: the scheme DPoP is only for the `Authorization` field.
    init(decoded: [UInt8]) {
        scheme = .bearer
        range = 0..<0
        self.decoded = decoded
        digest = Digest.sha256(decoded)
    }

    /// The length of the token.
    var byteCount: Int { decoded?.count ?? range.count }

    /// The token.
    func bytes(in head: borrowing RequestHead) -> [UInt8] {
        decoded ?? Array(head.bytes[range])
    }

    /// Whether all characters are allowed in a token.
    ///
    /// RFC 6750 §2.1.
    func isToken68(in head: borrowing RequestHead) -> Bool {
        withBytes(in: head, Token68.matches)
    }

    /// Whether the token looks like a signed JWT.
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
