// SPDX-License-Identifier: MIT

/// Decodes a chunked body incrementally.
///
/// Strict: sizes have only hexadecimal digits, every line ends with CRLF, extensions must be well formed.
/// Checks and drops extensions and trailers. Bounds the framing overhead in proportion to the data. Does not
/// bound the body; the caller does.
///
/// RFC 9112 §7.1.
package struct ChunkedDecoder: Sendable {
    /// The outcome of one call.
    package struct Progress: Sendable, Hashable {
        /// The number of input bytes that were used.
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

    /// Decodes `input` up to its end or the end of the body, and delivers the data in pieces without copying.
    ///
    /// - Parameter deliver: Receives each piece at once; the pointer is valid only during the call.
    /// - Throws: ``MalformedMessage``; the pieces before the fault have been delivered, and the decoder must
    ///   not be used again.
    // SAFETY: `input` is only read, within its count, and not kept; `deliver` may not keep it either.
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
                creditData(count)
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

    /// Decodes one byte of framing.
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
            if try extensions.take(byte) { state = .sizeLineFeed } else { try countOverhead() }
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
            // RFC 9112 §7.1: large numbers must not overflow.
            guard remaining <= Int.max >> 4 else { throw .invalidChunk }
            remaining = remaining << 4 | Int(digit)
            digitCount += 1
            if digitCount > 16 { try countOverhead() }
        } else if byte == 0x0D {
            state = .sizeLineFeed
        } else {
            extensions = ChunkExtensionScanner()
            try countOverhead()
            // The scanner accepts no line end before an extension, so this is never the end.
            _ = try extensions.take(byte)
            state = .extensions
        }
    }

    /// Counts one byte of framing that carries no data.
    private mutating func countOverhead() throws(MalformedMessage) {
        overhead += 1
        guard overhead <= overheadBudget else { throw .chunkOverheadTooLarge }
    }

    /// Raises the limit for overhead in proportion to the data.
    private mutating func creditData(_ count: Int) {
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
