// SPDX-License-Identifier: MIT

/// Iterates over the segments of a normalized path; a trailing slash gives an empty last segment.
///
/// `/` has no segments. A copy continues from its own position, so that a lookup can backtrack.
///
/// RFC 3986 §3.3.
// SAFETY: the bytes are only read, within their bounds, and the caller keeps them alive while a copy is
// in use.
package struct PathSegments: Sequence, IteratorProtocol {
    private let bytes: UnsafeRawBufferPointer
    /// The start of the next segment; beyond `end` if there is none.
    private var position: Int
    /// The end of the path.
    package let end: Int

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

    /// Whether there are no more segments.
    package var isAtEnd: Bool { position > end }

    /// Returns the range of the next segment, or `nil` at the end.
    package mutating func next() -> Range<Int>? {
        guard !isAtEnd else { return nil }
        let start = position
        while position < end, bytes[position] != 0x2F { position += 1 }
        defer { position += 1 }
        return start..<position
    }

    /// The bytes of a segment.
    package subscript(segment: Range<Int>) -> UnsafeRawBufferPointer {
        precondition(segment.lowerBound >= 0 && segment.upperBound <= end)
        return UnsafeRawBufferPointer(rebasing: bytes[segment])
    }
}
