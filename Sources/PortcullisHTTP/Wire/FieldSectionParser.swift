// SPDX-License-Identifier: MIT

/// Reads field lines up to the empty line that ends them, over as many calls as it takes.
///
/// With `defersGrammar`, errors of grammar wait for the end of the section, since one of size or count goes
/// before them. Either way the outcome is the same however the bytes are split, and the work is linear.
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
    /// The lines read so far.
    package private(set) var slots: [RequestHead.FieldSlot] = []

    package init(maxByteCount: Int, maxFieldCount: Int, defersGrammar: Bool) {
        self.maxByteCount = maxByteCount
        self.maxFieldCount = maxFieldCount
        self.defersGrammar = defersGrammar
    }

    /// Makes room for so many lines at once.
    package mutating func reserveCapacity(_ count: Int) {
        slots.reserveCapacity(count)
    }

    /// Forgets everything but the room for slots.
    package mutating func restart(at start: Int) {
        self.start = start
        lineStart = start
        scanned = start
        lineCount = 0
        firstError = nil
        slots.removeAll(keepingCapacity: true)
    }

    /// Goes on where the last call stopped.
    ///
    /// `bytes` are those of the last call and perhaps more behind them.
    ///
    /// - Returns: Where the section ends, or nothing if it has not ended yet.
    // SAFETY: `bytes` is only read, below its count, and not kept.
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
                // A limit is final; an error of grammar stands only once its line has ended.
                if error == .headerBlockTooLarge || error == .tooManyFields { throw error }
                guard let lineFeed = ByteScan.lineFeed(in: bytes, from: lineStart) else {
                    return try unfinished(bytes.count)
                }
                // Of a line that is too long as well, only its length is known in every case when its end comes.
                guard lineFeed + 1 - start <= maxByteCount else { throw .headerBlockTooLarge }
                guard defersGrammar else { throw error }
                firstError = firstError ?? error
                try advance(to: lineFeed + 1)
            }
        }
    }

    /// Where the section ends if its empty line begins here.
    @inline(__always)
    private mutating func emptyLineEnd(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard lineStart < bytes.count, bytes[lineStart] <= 0x0D else { return nil }
        if bytes[lineStart] == 0x0A {
            // RFC 9112 §2.2: never a line end here, but whoever sent it waits for an answer.
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
