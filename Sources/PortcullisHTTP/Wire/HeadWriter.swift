// SPDX-License-Identifier: MIT

/// Appends pieces to memory of a fixed size: a head has a dozen, and an array checks its capacity at each.
// SAFETY: `reserve` checks the room for each piece before it is written, and the caller keeps the memory
// alive while the writer is in use.
struct HeadWriter {
    private let buffer: UnsafeMutableRawBufferPointer
    private var count = 0

    init(_ buffer: UnsafeMutableRawBufferPointer) {
        self.buffer = buffer
    }

    /// The bytes written so far.
    var written: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[..<count]) }

    @inline(__always)
    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends text known only at run time; `append(_:)` is faster for a literal.
    mutating func append(text: String) {
        // Borrows the storage: making the text contiguous could copy it, which costs reference counting.
        guard text.utf8.withContiguousStorageIfAvailable({ append(UnsafeRawBufferPointer($0)) }) == nil
        else { return }
        append(Array(text.utf8))
    }

    mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    /// Appends a non-negative number in decimal digits.
    mutating func append(decimal number: Int) {
        if number >= 10 { append(decimal: number / 10) }
        buffer[reserve(1)] = 0x30 + UInt8(truncatingIfNeeded: number % 10)
    }

    @inline(__always)
    private mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, let target = buffer.baseAddress else { return }
        (target + reserve(bytes.count)).copyMemory(from: source, byteCount: bytes.count)
    }

    /// Reserves room for this many bytes, and returns its start.
    @inline(__always)
    private mutating func reserve(_ byteCount: Int) -> Int {
        let start = count
        precondition(byteCount <= buffer.count - start, "The head is longer than its computed maximum.")
        count += byteCount
        return start
    }
}
