// SPDX-License-Identifier: MIT

/// Parses field lines incrementally, up to the empty line that ends them.
///
/// With `defersGrammar`, grammar errors are thrown at the end of the section, because errors of size or
/// count take precedence. In both modes the outcome does not depend on how the bytes are split, and the work
/// is linear.
///
/// RFC 9112 §2.2, §5.
package struct FieldSectionParser: Sendable {
    private let maxByteCount: Int
    private let maxFieldCount: Int
    private let defersGrammar: Bool
    private var start = 0
    private var lineStart = 0
    private var scanned = 0
    private var lineCount = 0
    private var firstError: MalformedMessage?
    /// The lines parsed so far.
    package private(set) var slots: [RequestHead.FieldSlot] = []

    package init(maxByteCount: Int, maxFieldCount: Int, defersGrammar: Bool) {
        self.maxByteCount = maxByteCount
        self.maxFieldCount = maxFieldCount
        self.defersGrammar = defersGrammar
    }

    /// Reserves capacity for this many lines.
    package mutating func reserveCapacity(_ count: Int) {
        slots.reserveCapacity(count)
    }

    /// Resets everything but the capacity for slots.
    package mutating func restart(at start: Int) {
        self.start = start
        lineStart = start
        scanned = start
        lineCount = 0
        firstError = nil
        slots.removeAll(keepingCapacity: true)
    }

    /// Continues where the last call stopped.
    ///
    /// `bytes` begins with the bytes of the last call; more may follow them.
    ///
    /// - Returns: The end of the section, or `nil` if it is not complete.
    // SAFETY: `bytes` is only read, within its count, and not kept.
    package mutating func parse(_ bytes: UnsafeRawBufferPointer) throws(MalformedMessage) -> Int? {
        while true {
            if scanned > lineStart, ByteScan.lineFeed(in: bytes, from: scanned) == nil {
                return try unfinished(bytes.count)
            }
            if let end = emptyLineEnd(bytes) {
                guard end - start <= maxByteCount else { throw .headerBlockTooLarge }
                if let firstError { throw firstError }
                return end
            }
            do throws(MalformedMessage) {
                guard let line = try FieldLine.parse(bytes, at: lineStart) else {
                    return try unfinished(bytes.count)
                }
                slots.append(line.slot)
                try advance(to: line.next)
            } catch {
                // A limit error is final; a grammar error is certain only once its line has ended.
                if error == .headerBlockTooLarge || error == .tooManyFields { throw error }
                guard let lineFeed = ByteScan.lineFeed(in: bytes, from: lineStart) else {
                    return try unfinished(bytes.count)
                }
                // A line that is also too long gives the size error, however the bytes are split.
                guard lineFeed + 1 - start <= maxByteCount else { throw .headerBlockTooLarge }
                guard defersGrammar else { throw error }
                firstError = firstError ?? error
                try advance(to: lineFeed + 1)
            }
        }
    }

    /// The end of the section if its empty line begins here.
    @inline(__always)
    private mutating func emptyLineEnd(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard lineStart < bytes.count, bytes[lineStart] <= 0x0D else { return nil }
        if bytes[lineStart] == 0x0A {
            // RFC 9112 §2.2: a bare LF is not a line end here, but its sender waits for a response.
            firstError = firstError ?? .bareLineEnd
            return lineStart + 1
        }
        guard bytes[lineStart] == 0x0D, lineStart + 1 < bytes.count, bytes[lineStart + 1] == 0x0A else {
            return nil
        }
        return lineStart + 2
    }

    @inline(__always)
    private mutating func advance(to next: Int) throws(MalformedMessage) {
        lineCount += 1
        guard next - start <= maxByteCount else { throw .headerBlockTooLarge }
        guard lineCount <= maxFieldCount else { throw .tooManyFields }
        lineStart = next
        scanned = next
    }

    private mutating func unfinished(_ count: Int) throws(MalformedMessage) -> Int? {
        scanned = count
        // At least one byte is still to come.
        guard count - start < maxByteCount else { throw .headerBlockTooLarge }
        return nil
    }
}
