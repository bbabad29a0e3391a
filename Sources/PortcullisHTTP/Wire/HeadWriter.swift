// SPDX-License-Identifier: MIT

/// Writes one piece behind the other into memory of a fixed size: a head has a dozen, and an array looks after itself at each.
// SAFETY: nothing is written before `reserve` has found room for all of it, and the memory is the caller's for as long as the
// writer is in use.
struct HeadWriter {
    private let buffer: UnsafeMutableRawBufferPointer
    private var count = 0

    init(_ buffer: UnsafeMutableRawBufferPointer) {
        self.buffer = buffer
    }

    /// What has been written so far.
    var written: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[..<count]) }

    @inline(__always)
    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends a text that is no literal, which would take the longer way for nothing.
    mutating func append(text: String) {
        // Lent as it is: a text that could be made contiguous would be a copy, whose references are counted.
        guard text.utf8.withContiguousStorageIfAvailable({ append(UnsafeRawBufferPointer($0)) }) == nil
        else { return }
        append(Array(text.utf8))
    }

    mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    /// Appends a number that is not negative, in decimal digits.
    mutating func append(decimal number: Int) {
        if number >= 10 { append(decimal: number / 10) }
        buffer[reserve(1)] = 0x30 + UInt8(truncatingIfNeeded: number % 10)
    }

    @inline(__always)
    private mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, let target = buffer.baseAddress else { return }
        (target + reserve(bytes.count)).copyMemory(from: source, byteCount: bytes.count)
    }

    /// Takes room for so many bytes, and says where it begins.
    @inline(__always)
    private mutating func reserve(_ byteCount: Int) -> Int {
        let start = count
        precondition(byteCount <= buffer.count - start, "A head is no longer than was reckoned.")
        count += byteCount
        return start
    }
}
