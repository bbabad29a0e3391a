// SPDX-License-Identifier: MIT

/// Inflates the compressed array of a status list.
///
/// The module `PortcullisStatusList` has one that uses zlib; this module links no compression library.
///
/// draft-ietf-oauth-status-list §4.1, RFC 1950, RFC 1951.
public protocol StatusListInflating: Sendable {
    /// Returns the content of one complete zlib stream; does not wait.
    ///
    /// The bytes come from the network, so an implementation must compare the length with the maximum while it
    /// inflates, and must refuse a preset dictionary, a wrong checksum, and bytes after the stream.
    ///
    /// - Parameters:
    ///   - bytes: The stream.
    ///   - maxByteCount: The maximum length of the content, in bytes.
    func inflate(_ bytes: [UInt8], maxByteCount: Int) throws(StatusListInflationError) -> [UInt8]
}

/// Why a status list can't be inflated.
@nonexhaustive
public enum StatusListInflationError: Error, Sendable, Hashable {
    /// The bytes are not exactly one zlib stream.
    case malformed
    /// The content is longer than the maximum.
    case tooLarge
}
