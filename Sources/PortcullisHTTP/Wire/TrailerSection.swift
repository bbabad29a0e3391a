// SPDX-License-Identifier: MIT

/// Reads the trailer section of a chunked body within limits, checks it and drops it.
///
/// Stricter than RFC 9110 §6.5.1, which allows ignoring forbidden trailers: rejects one that frames, routes
/// or authorizes a message.
///
/// RFC 9112 §7.1.2.
struct TrailerSection: Sendable {
    private var bytes: [UInt8] = []
    private var parser: FieldSectionParser
    private(set) var isFinished = false

    init(limits: WireLimits) {
        parser = FieldSectionParser(
            maxByteCount: limits.maxTrailerByteCount,
            maxFieldCount: limits.maxTrailerFieldCount,
            defersGrammar: false
        )
    }

    /// Reads bytes up to the end of the section.
    ///
    /// - Returns: The number of bytes read.
    // SAFETY: `input` is only read, within its count, and not kept; the section has its own copy.
    mutating func take(_ input: UnsafeRawBufferPointer) throws(MalformedMessage) -> Int {
        // Line by line, so that what follows the section is not copied.
        var index = 0
        while index < input.count, !isFinished {
            let end = ByteScan.lineFeed(in: input, from: index).map { $0 + 1 } ?? input.count
            bytes.append(contentsOf: input[index..<end])
            index = end
            try parse()
        }
        return index
    }

    private mutating func parse() throws(MalformedMessage) {
        let bytes = bytes
        do throws(MalformedMessage) {
            isFinished = try bytes.withUnsafeBufferPointer { buffer throws(MalformedMessage) in
                try parser.parse(UnsafeRawBufferPointer(buffer)) != nil
            }
        } catch {
            throw .invalidTrailer
        }
        guard isFinished else { return }
        guard !parser.slots.contains(where: { Self.isForbidden($0.known) }) else { throw .invalidTrailer }
    }

    private static func isForbidden(_ name: KnownFieldName) -> Bool {
        switch name {
        case .contentLength, .transferEncoding, .host, .connection, .expect, .authorization, .dpop: true
        default: false
        }
    }
}
