// SPDX-License-Identifier: MIT

/// Writes the chunked coding.
///
/// RFC 9112 §7.1.
package enum ChunkEncoder {
    /// The bytes after the data of a chunk.
    package static let chunkEnd: [UInt8] = [0x0D, 0x0A]

    /// The end of the body: a chunk of size zero and no trailers.
    package static let lastChunk: [UInt8] = Array("0\r\n\r\n".utf8)

    /// Appends the size line before the data of a chunk.
    ///
    /// `count` is not zero, because that would end the body.
    package static func appendChunkStart(byteCount count: Int, to output: inout [UInt8]) {
        precondition(count > 0, "The byte count of a chunk must be positive: an empty chunk ends the body.")
        output.append(hexadecimal: count)
        output.append("\r\n")
    }

    /// Appends a chunk; appends nothing if there are no bytes.
    package static func appendChunk(_ bytes: some Collection<UInt8>, to output: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        appendChunkStart(byteCount: bytes.count, to: &output)
        output.append(contentsOf: bytes)
        output.append(contentsOf: chunkEnd)
    }

    /// Appends the end of the body.
    package static func appendLastChunk(to output: inout [UInt8]) {
        output.append(contentsOf: lastChunk)
    }
}
