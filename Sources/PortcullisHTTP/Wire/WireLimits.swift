// SPDX-License-Identifier: MIT

/// Limits on the framing that a peer may send.
///
/// Routes and resources limit bodies.
///
/// Does not contain deadlines; those belong to the connection.
///
/// RFC 9112 §2.2, §3, §7.1.
package struct WireLimits: Sendable, Hashable {
    /// The longest request target, in bytes.
    ///
    /// Default 8192; at least 1. Beyond it: 414. RFC 9112 §3.
    package var maxTargetByteCount: Int
    /// The longest header block in bytes: all field lines and the empty line after them.
    ///
    /// Default 32 768; at least 2. Beyond it: 431. For responses the status line counts too. RFC 6585 §5.
    package var maxHeaderByteCount: Int
    /// The most field lines in a head.
    ///
    /// Default 100. Beyond it: 431. RFC 6585 §5.
    package var maxFieldCount: Int
    /// The most bytes of chunk extensions and superfluous zeros before the data, and again for each 65 536
    /// bytes of data.
    ///
    /// Default 16 384. Beyond it: 400. RFC 9112 §7.1.1.
    package var maxChunkOverheadByteCount: Int
    /// The longest trailer section in bytes, with the empty line after it.
    ///
    /// Default 8192; at least 2. Beyond it: 400. RFC 9112 §7.1.2.
    package var maxTrailerByteCount: Int
    /// The most trailer fields after a chunked body.
    ///
    /// Default 32. Beyond it: 400. RFC 9112 §7.1.2.
    package var maxTrailerFieldCount: Int

    /// The most bytes of a request line outside its target: method, spaces, version, line end.
    package static let maxRequestLineRestByteCount = 256

    /// Makes limits; omitted values keep their defaults.
    ///
    /// Traps on a number below its bound.
    package init(
        maxTargetByteCount: Int = 8192,
        maxHeaderByteCount: Int = 32_768,
        maxFieldCount: Int = 100,
        maxChunkOverheadByteCount: Int = 16_384,
        maxTrailerByteCount: Int = 8192,
        maxTrailerFieldCount: Int = 32,
        file: StaticString = #fileID, line: UInt = #line
    ) {
        func check(_ holds: Bool, _ sentence: String) { endUnless(holds, sentence, file: file, line: line) }
        check(maxTargetByteCount >= 1, "A request target has at least one byte.")
        check(maxHeaderByteCount >= 2, "A header block has at least the two bytes of its empty line.")
        check(maxTrailerByteCount >= 2, "A trailer section has at least the two bytes of its empty line.")
        check(
            maxFieldCount >= 0 && maxTrailerFieldCount >= 0 && maxChunkOverheadByteCount >= 0,
            "A limit must not be negative.")
        self.maxTargetByteCount = maxTargetByteCount
        self.maxHeaderByteCount = maxHeaderByteCount
        self.maxFieldCount = maxFieldCount
        self.maxChunkOverheadByteCount = maxChunkOverheadByteCount
        self.maxTrailerByteCount = maxTrailerByteCount
        self.maxTrailerFieldCount = maxTrailerFieldCount
    }
}
