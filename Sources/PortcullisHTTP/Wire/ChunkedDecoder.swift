// SPDX-License-Identifier: MIT

/// Takes the chunked coding off a body, over as many calls as it takes.
///
/// Strict: sizes are hexadecimal digits alone, every line ends with CRLF, extensions have to be well formed
/// and are dropped. What framing costs beyond the plain form is bounded in proportion to the data. Trailers
/// are checked and dropped. Does not bound the body; whoever takes the data does.
///
/// RFC 9112 §7.1.
package struct ChunkedDecoder: Sendable {
    /// How far a call has come.
    package struct Progress: Sendable, Hashable {
        /// How many bytes of the input were used.
        ///
        /// All of them, unless the body has ended.
        package let consumed: Int
        /// Whether the body has ended.
        package let finished: Bool
    }

    private enum State: Sendable {
        case sizeStart, size, extensions, sizeLineFeed
        case data, dataReturn, dataLineFeed
        case trailers, finished
    }

    private let limits: WireLimits
    private var state = State.sizeStart
    private var remaining = 0
    private var digitCount = 0
    private var extensions = ChunkExtensionScanner()
    private var overhead = 0
    private var overheadBudget: Int
    private var dataSinceBudget = 0
    private var trailers: TrailerSection

    package init(limits: WireLimits) {
        self.limits = limits
        overheadBudget = limits.maxChunkOverheadByteCount
        trailers = TrailerSection(limits: limits)
    }

    /// Uses `input`, all of it unless the body ends in it, and hands out its data in pieces, without copying.
    ///
    /// - Parameter deliver: Gets each piece, at once; the pointer is valid during the call only.
    /// - Throws: ``MalformedMessage``; the pieces before the fault have been delivered by then, and the
    ///   decoder is spent.
    // SAFETY: `input` is only read, below its count, and not kept; neither may `deliver` keep it.
    package mutating func decode(
        _ input: UnsafeRawBufferPointer, into deliver: (UnsafeRawBufferPointer) -> Void
    ) throws(MalformedMessage) -> Progress {
        var index = 0
        while index < input.count, state != .finished {
            switch state {
            case .data:
                let count = min(remaining, input.count - index)
                deliver(UnsafeRawBufferPointer(rebasing: input[index..<(index + count)]))
                index += count
                remaining -= count
                earn(count)
                if remaining == 0 { state = .dataReturn }
            case .trailers:
                index += try trailers.take(UnsafeRawBufferPointer(rebasing: input[index...]))
                if trailers.isFinished { state = .finished }
            default:
                try take(input[index])
                index += 1
            }
        }
        return Progress(consumed: index, finished: state == .finished)
    }

    /// One byte of framing.
    private mutating func take(_ byte: UInt8) throws(MalformedMessage) {
        switch state {
        case .sizeStart:
            remaining = 0
            digitCount = 0
            guard CharacterClass.hexadecimalValue(byte) != nil else { throw .invalidChunk }
            state = .size
            try takeSize(byte)
        case .size: try takeSize(byte)
        case .extensions:
            if try extensions.take(byte) { state = .sizeLineFeed } else { try spend() }
        case .sizeLineFeed:
            guard byte == 0x0A else { throw .invalidChunk }
            state = remaining == 0 ? .trailers : .data
        case .dataReturn:
            guard byte == 0x0D else { throw .invalidChunk }
            state = .dataLineFeed
        case .dataLineFeed:
            guard byte == 0x0A else { throw .invalidChunk }
            state = .sizeStart
        case .data, .trailers, .finished: break
        }
    }

    private mutating func takeSize(_ byte: UInt8) throws(MalformedMessage) {
        if let digit = CharacterClass.hexadecimalValue(byte) {
            // RFC 9112 §7.1: large numerals must not wrap.
            guard remaining <= Int.max >> 4 else { throw .invalidChunk }
            remaining = remaining << 4 | Int(digit)
            digitCount += 1
            if digitCount > 16 { try spend() }
        } else if byte == 0x0D {
            state = .sizeLineFeed
        } else {
            extensions = ChunkExtensionScanner()
            try spend()
            // The scanner takes no line end before an extension, so this is never the end.
            _ = try extensions.take(byte)
            state = .extensions
        }
    }

    private mutating func spend() throws(MalformedMessage) {
        overhead += 1
        guard overhead <= overheadBudget else { throw .chunkOverheadTooLarge }
    }

    private mutating func earn(_ count: Int) {
        dataSinceBudget += count
        guard dataSinceBudget >= 65_536 else { return }
        let (budget, overflow) = overheadBudget.addingReportingOverflow(
            limits.maxChunkOverheadByteCount.multipliedReportingOverflow(by: dataSinceBudget / 65_536)
                .partialValue
        )
        if !overflow { overheadBudget = budget }
        dataSinceBudget %= 65_536
    }
}
