// SPDX-License-Identifier: MIT

/// An inflated status list: an array of small numbers.
///
/// draft-ietf-oauth-status-list §4.1.
package struct StatusList: Sendable, Hashable {
    /// The number of bits of an entry.
    package enum Width: Int, Sendable {
        case one = 1
        case two = 2
        case four = 4
        case eight = 8
    }

    package let width: Width
    package let bytes: [UInt8]

    package init(width: Width, bytes: [UInt8]) {
        self.width = width
        self.bytes = bytes
    }

    /// The number of entries.
    package var count: Int { bytes.count * (8 / width.rawValue) }

    /// The entry at an index, or `nil` beyond the end.
    ///
    /// The entries of a byte begin at its least significant bit.
    package subscript(index: Int) -> UInt8? {
        let perByte = 8 / width.rawValue
        guard index >= 0, index / perByte < bytes.count else { return nil }
        let byte = bytes[index / perByte] >> UInt8(index % perByte * width.rawValue)
        return byte & UInt8(truncatingIfNeeded: (1 << width.rawValue) - 1)
    }
}
