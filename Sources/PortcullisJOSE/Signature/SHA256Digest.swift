// SPDX-License-Identifier: MIT

/// The 32 bytes of a SHA-256 hash, stored inline, so that it is a cheap dictionary key.
///
/// FIPS 180-4 §6.2.
@usableFromInline package struct SHA256Digest: Sendable, Hashable {
    @usableFromInline var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// Creates a digest whose 32 bytes `fill` writes.
    init(filling fill: (UnsafeMutableRawBufferPointer) -> Void) {
        withUnsafeMutableBytes(of: &words) { fill($0) }
    }

    /// Creates a digest from 32 bytes; `nil` for any other number.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    }

    /// The bytes.
    package var bytes: [UInt8] {
        withUnsafeBytes(of: words) { Array($0) }
    }

    /// The bytes as base64url, 43 characters: the form of `ath`, `jkt` and `x5t#S256`.
    ///
    /// RFC 9449 §4.2, §6.1; RFC 8705 §3.1.
    package var base64URL: String {
        Base64URL.encode(bytes)
    }

    /// The first eight bytes, as a number: a short hash.
    @inlinable package var prefix: UInt64 { words.0 }

    @inlinable package static func == (first: SHA256Digest, second: SHA256Digest) -> Bool {
        first.words == second.words
    }

    @usableFromInline package func hash(into hasher: inout Hasher) {
        // A part of a hash is a hash; the hasher's seed keeps its places in a table from being chosen.
        hasher.combine(words.0)
    }
}
