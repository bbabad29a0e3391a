// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// Extracts the content of one request from the bytes of its connection.
///
/// Pure.
///
/// RFC 9112 §6, §7.1.
package struct BodyReader: Sendable {
    /// How much of the body has been read.
    package enum Progress: Sendable, Hashable {
        case finished
        /// This many bytes are left.
        case remaining(Int)
        /// The request does not say how many bytes are left.
        case unknown
        /// The body is malformed, so its end is unknown.
        case failed
    }

    private enum State: Sendable {
        case length(Int)
        case chunked(ChunkedDecoder)
        case finished
        case failed(MalformedMessage)
    }

    private var state: State
    /// The most bytes of content.
    var limit: Int
    private var takenByteCount = 0

    /// No content.
    static let none = BodyReader(.none, limits: WireLimits(), limit: 0)

    init(_ framing: BodyFraming, limits: WireLimits, limit: Int) {
        self.limit = limit
        switch framing {
        case .none, .length(0), .untilClose: state = .finished
        case .length(let count): state = .length(count)
        case .chunked: state = .chunked(ChunkedDecoder(limits: limits))
        }
    }

    var isFinished: Bool {
        if case .finished = state { true } else { false }
    }

    /// Why the body is malformed, if it is.
    var failure: MalformedMessage? {
        if case .failed(let failure) = state { failure } else { nil }
    }

    @inline(__always)
    var progress: Progress {
        switch state {
        case .length(let count): .remaining(count)
        case .finished: .finished
        case .chunked: .unknown
        case .failed: .failed
        }
    }

    /// Reads the part of the body at the start of `bytes`.
    ///
    /// - Returns: The number of bytes that belong to the body's framing or content.
    /// - Throws: ``MalformedMessage``, also for content beyond the limit; every later call throws the same.
    mutating func read(
        _ bytes: UnsafeRawBufferPointer, _ deliver: (UnsafeRawBufferPointer) -> Void
    ) throws(MalformedMessage) -> Int {
        do throws(MalformedMessage) {
            return try take(bytes, deliver)
        } catch {
            state = .failed(error)
            throw error
        }
    }

    private mutating func take(
        _ bytes: UnsafeRawBufferPointer, _ deliver: (UnsafeRawBufferPointer) -> Void
    ) throws(MalformedMessage) -> Int {
        switch state {
        case .failed(let failure):
            throw failure
        case .finished:
            return 0
        case .length(let left):
            let count = min(left, bytes.count)
            deliver(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            state = left == count ? .finished : .length(left - count)
            return count
        case .chunked(var decoder):
            var taken = takenByteCount
            let progress = try decoder.decode(
                bytes,
                into: { piece in
                    taken += piece.count
                    deliver(piece)
                })
            takenByteCount = taken
            guard takenByteCount <= limit else { throw .bodyTooLarge }
            state = progress.finished ? .finished : .chunked(decoder)
            return progress.consumed
        }
    }
}
