// SPDX-License-Identifier: MIT

internal import CZlib
public import Portcullis

/// Inflates status lists with zlib.
///
///     issuer.statusLists.inflater = ZlibInflater()
///
/// Inflates each list twice: once to learn its length, which is compared with the maximum after every 64 KiB, and
/// once into memory of exactly that length. So an archive that inflates to gigabytes costs 64 KiB.
///
/// draft-ietf-oauth-status-list §4.1, RFC 1950 §2.2.
public struct ZlibInflater: StatusListInflating {
    /// The memory for the first pass, and the step in which the length is compared with its maximum.
    private static let chunkByteCount = 65_536

    /// Makes an inflater.
    public init() {}

    /// Inflates one complete zlib stream.
    ///
    /// - Throws: `.malformed` for anything but one zlib stream without a preset dictionary: another format, a wrong
    ///   checksum, an early end, bytes after the end; `.tooLarge` beyond the maximum.
    public func inflate(
        _ bytes: [UInt8], maxByteCount: Int
    ) throws(StatusListInflationError) -> [UInt8] {
        guard bytes.count <= Int(Int32.max), maxByteCount <= Int(Int32.max) else { throw .tooLarge }
        let count = try Self.byteCount(of: bytes, atMost: maxByteCount)
        return try Self.inflated(bytes, byteCount: count)
    }

    /// The length of the content.
    private static func byteCount(
        of bytes: [UInt8], atMost maxByteCount: Int
    ) throws(StatusListInflationError) -> Int {
        var stream = z_stream()
        guard inflateInit_(&stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .malformed
        }
        defer { inflateEnd(&stream) }
        var chunk = [UInt8](repeating: 0, count: chunkByteCount)
        var status = Z_OK
        var produced = 0
        bytes.withUnsafeBufferPointer { input in
            chunk.withUnsafeMutableBufferPointer { output in
                // SAFETY: zlib only reads its input, and both buffers outlive the calls.
                stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.avail_in = UInt32(input.count)
                while status == Z_OK, produced <= maxByteCount {
                    stream.next_out = output.baseAddress
                    stream.avail_out = UInt32(output.count)
                    status = CZlib.inflate(&stream, Z_NO_FLUSH)
                    produced += output.count - Int(stream.avail_out)
                }
            }
        }
        guard produced <= maxByteCount else { throw .tooLarge }
        guard status == Z_STREAM_END, stream.avail_in == 0 else { throw .malformed }
        return produced
    }

    /// The content, whose length is known.
    private static func inflated(
        _ bytes: [UInt8], byteCount: Int
    ) throws(StatusListInflationError) -> [UInt8] {
        guard byteCount > 0 else { return [] }
        var status = Z_OK
        // SAFETY: zlib writes at most the capacity, and the count is what it says that it wrote.
        let content = [UInt8](unsafeUninitializedCapacity: byteCount) { output, count in
            var stream = z_stream()
            status = inflateInit_(&stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
            guard status == Z_OK else { return }
            defer { inflateEnd(&stream) }
            bytes.withUnsafeBufferPointer { input in
                // SAFETY: zlib only reads its input, which outlives the call.
                stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(byteCount)
                status = CZlib.inflate(&stream, Z_FINISH)
                count = byteCount - Int(stream.avail_out)
            }
        }
        guard status == Z_STREAM_END, content.count == byteCount else { throw .malformed }
        return content
    }
}
