// SPDX-License-Identifier: MIT

/// Bounds on a JSON document from outside.
///
/// RFC 8259 §9.
package struct JSONLimits: Sendable, Hashable {
    /// How many bytes a document may have.
    ///
    /// Default 1 MiB.
    package var maximumByteCount: Int
    /// How deep arrays and objects may be nested; the outermost counts as 1.
    ///
    /// Default 16; above 128 taken as 128.
    package var maximumDepth: Int
    /// How many object members and array elements a document may have, all of them counted.
    ///
    /// Default 10,000.
    package var maximumMemberCount: Int

    /// Makes limits; those not given have their defaults.
    package init(
        maximumByteCount: Int = 1_048_576,
        maximumDepth: Int = 16,
        maximumMemberCount: Int = 10_000
    ) {
        self.maximumByteCount = maximumByteCount
        self.maximumDepth = maximumDepth
        self.maximumMemberCount = maximumMemberCount
    }

    /// All defaults.
    package static let `default` = JSONLimits()
}
