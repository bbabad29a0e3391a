// SPDX-License-Identifier: MIT

/// Bounds on an untrusted JSON document.
///
/// RFC 8259 §9.
package struct JSONLimits: Sendable, Hashable {
    /// The maximum number of bytes.
    ///
    /// Default 1 MiB.
    package var maximumByteCount: Int
    /// The maximum nesting of arrays and objects; the outermost counts as 1.
    ///
    /// Default 20; values above 128 are treated as 128.
    package var maximumDepth: Int
    /// The maximum number of object members and array elements in the whole document.
    ///
    /// Default 10,000.
    package var maximumMemberCount: Int

    /// Creates limits.
    package init(
        maximumByteCount: Int = 1_048_576,
        maximumDepth: Int = 20,
        maximumMemberCount: Int = 10_000
    ) {
        self.maximumByteCount = maximumByteCount
        self.maximumDepth = maximumDepth
        self.maximumMemberCount = maximumMemberCount
    }

    /// The default limits.
    package static let `default` = JSONLimits()
}
