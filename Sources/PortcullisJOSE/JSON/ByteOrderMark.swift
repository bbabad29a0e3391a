// SPDX-License-Identifier: MIT

/// The byte order mark that some programs write at the beginning of a UTF-8 text.
///
/// For files, and for documents of servers: in a token it stays an error.
package enum ByteOrderMark {
    /// Returns the text without it.
    ///
    /// RFC 8259 §8.1 allows parsers to ignore it.
    package static func removed(from bytes: [UInt8]) -> [UInt8] {
        bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }
}
