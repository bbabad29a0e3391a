// SPDX-License-Identifier: MIT

package import PortcullisJOSE

/// A token that a request presents and that nobody has checked: where it stands in the head, and its hash.
///
/// Never holds the token itself.
package struct PresentedToken: Sendable {
    package let range: Range<Int>
    package let digest: SHA256Digest

    package init(range: Range<Int>, in bytes: borrowing [UInt8]) {
        self.range = range
        digest = bytes.withUnsafeBytes { Digest.sha256(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}
