// SPDX-License-Identifier: MIT

/// Iterates over the segments of a normalized path; a trailing slash gives an empty last segment.
///
/// `/` has no segments. A copy continues from its own position, so that a lookup can backtrack.
///
/// RFC 3986 §3.3.
// SAFETY: reads only, within the bounds. The one caller makes it inside `withUnsafeBytes` of the path and returns
// ranges, never segments.
@usableFromInline package struct PathSegments: Sequence, IteratorProtocol {
    @usableFromInline let bytes: UnsafeRawBufferPointer
    /// Where the next segment begins; beyond the end when there is none.
    @usableFromInline var position: Int
    /// Where the path ends.
    @usableFromInline package let end: Int

    /// Starts at the first segment.
    ///
    /// - Parameters:
    ///   - bytes: The bytes that contain the path.
    ///   - range: The range of the path in `bytes`, including its leading slash.
    package init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        self.bytes = bytes
        end = range.upperBound
        position = range.lowerBound + (range.count > 1 ? 1 : 2)
    }

    /// Whether no segments are left.
    @inlinable package var isAtEnd: Bool { position > end }

    /// Returns the range of the next segment, or `nil`.
    @inlinable package mutating func next() -> Range<Int>? {
        guard !isAtEnd else { return nil }
        let start = position
        while position < end, bytes[position] != 0x2F { position += 1 }
        defer { position += 1 }
        return start..<position
    }

    /// The bytes of a segment.
    @inlinable package subscript(segment: Range<Int>) -> UnsafeRawBufferPointer {
        precondition(segment.lowerBound >= 0 && segment.upperBound <= end)
        return UnsafeRawBufferPointer(rebasing: bytes[segment])
    }
}
