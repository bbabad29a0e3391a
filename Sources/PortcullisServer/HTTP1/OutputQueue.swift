// SPDX-License-Identifier: MIT

internal import CPlatform
internal import PortcullisTransport

/// The unsent output of a connection, in order: small pieces gathered in one buffer, large ones uncopied.
struct OutputQueue: ~Copyable {
    /// A piece of this size or more is sent without being copied.
    private static let ownSegmentByteCount = 16 * 1024
    private static let segmentsPerCall: Int = 16

    private var segments: [[UInt8]] = []
    /// The number of bytes of the first segment that have been sent.
    private var sentByteCount = 0
    /// The last segment, while it is still growing.
    private var tail: [UInt8] = []

    /// The number of unsent bytes.
    private(set) var byteCount = 0

    /// The number of bytes added so far.
    private(set) var appendedByteCount = 0

    var isEmpty: Bool { byteCount == 0 }

    /// Counts bytes that were sent without using this queue.
    mutating func note(_ count: Int) { appendedByteCount &+= count }

    /// Borrows a buffer for small pieces, so that a connection without output holds none.
    mutating func borrow(_ buffer: inout [UInt8]) {
        if tail.capacity == 0 { swap(&tail, &buffer) }
    }

    /// Gives the buffer back if everything is sent.
    mutating func giveBack(_ buffer: inout [UInt8]) {
        guard isEmpty, segments.isEmpty, tail.capacity > buffer.capacity else {
            if isEmpty { tail = [] }
            return
        }
        swap(&tail, &buffer)
        tail = []
    }

    /// Adds what a closure appends.
    mutating func append(_ write: (inout [UInt8]) -> Void) {
        let before = tail.count
        write(&tail)
        byteCount += tail.count - before
        appendedByteCount &+= tail.count - before
    }

    /// Adds a piece, without copying it if it is large.
    mutating func append(_ bytes: [UInt8]) {
        guard bytes.count >= Self.ownSegmentByteCount else { return append { $0 += bytes } }
        closeTail()
        segments.append(bytes)
        byteCount += bytes.count
        appendedByteCount &+= bytes.count
    }

    private mutating func closeTail() {
        guard !tail.isEmpty else { return }
        segments.append(tail)
        tail = []
    }

    /// Sends as much as possible to the socket.
    ///
    /// - Returns: The result of the last system call: bytes sent, or a negative number with `errno` set.
    mutating func send(to descriptor: Int32) -> Int {
        guard !segments.isEmpty else { return sendTail(to: descriptor) }
        closeTail()
        let count = min(segments.count, Self.segmentsPerCall)
        let sent = Self.withVectors(segments[..<count], skipping: sentByteCount) {
            cplatform_send(descriptor, $0.baseAddress, Int32($0.count))
        }
        if sent > 0 { drop(sent) }
        return sent
    }

    private mutating func sendTail(to descriptor: Int32) -> Int {
        let skip = sentByteCount
        let sent = tail.withUnsafeBytes { bytes in
            cplatform_send_bytes(descriptor, bytes.baseAddress.map { $0 + skip }, bytes.count - skip)
        }
        if sent > 0 { dropFromTail(sent) }
        return sent
    }

    private mutating func dropFromTail(_ count: Int) {
        byteCount -= count
        if byteCount == 0 {
            tail.removeAll(keepingCapacity: true)
            sentByteCount = 0
        } else {
            sentByteCount += count
        }
    }

    /// Writes as much as possible to a TLS session, at least one record if it accepts any.
    ///
    /// After `wouldBlock` the next call must begin with the same bytes, and does: the queue only grows.
    mutating func send(through session: TLSSession) -> IOResult {
        let result: IOResult
        if segments.isEmpty {
            let skip = sentByteCount
            result = tail.withUnsafeBytes { session.write(UnsafeRawBufferPointer(rebasing: $0[skip...])) }
        } else {
            closeTail()
            let count = min(segments.count, Self.segmentsPerCall)
            result = Self.withVectors(segments[..<count], skipping: sentByteCount) {
                SocketStream.write($0, to: session)
            }
        }
        if case .bytes(let sent) = result { segments.isEmpty ? dropFromTail(sent) : drop(sent) }
        return result
    }

    // SAFETY: `segments` is kept alive for the whole call, so the pointers stay valid, and the system only
    // reads.
    private static func withVectors<Result>(
        _ segments: ArraySlice<[UInt8]>, skipping: Int, _ body: (UnsafeBufferPointer<iovec>) -> Result
    ) -> Result {
        var vectors: [iovec] = []
        vectors.reserveCapacity(segments.count)
        func collect(_ rest: ArraySlice<[UInt8]>) -> Result {
            guard let segment = rest.first else { return vectors.withUnsafeBufferPointer(body) }
            return segment.withUnsafeBytes { bytes in
                let skip = vectors.isEmpty ? skipping : 0
                vectors.append(
                    iovec(
                        iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress.map { $0 + skip }),
                        iov_len: bytes.count - skip))
                return collect(rest.dropFirst())
            }
        }
        return collect(segments)
    }

    private mutating func drop(_ count: Int) {
        byteCount -= count
        var left = count + sentByteCount
        var whole = 0
        while whole < segments.count, left >= segments[whole].count {
            left -= segments[whole].count
            whole += 1
        }
        segments.removeFirst(whole)
        sentByteCount = left
    }
}
