// SPDX-License-Identifier: MIT

internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The three descriptors that a process starts with.
package enum StandardDescriptors {
    /// Opens `/dev/null` for each of the three that is closed.
    ///
    /// Else the next file or socket of the process takes the number, and gets what is meant for standard error. To be called
    /// before anything is opened.
    package static func fill() {
        // The lowest free number is taken, so that each call fills the first gap that is left.
        for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
            _ = open("/dev/null", O_RDWR)
        }
    }

    /// The outcome of a wait for a descriptor that is written to.
    package enum Readiness: Sendable, Hashable {
        case ready
        /// Its reader has not made room in time.
        case full
        /// There is no reader, or the descriptor is closed.
        case gone
    }

    /// Waits until a descriptor takes bytes, at most so many milliseconds.
    ///
    /// A pipe that is `ready` takes `PIPE_BUF` bytes without waiting. Writing where there is no reader would raise SIGPIPE, which
    /// is why this asks first.
    package static func waitToWrite(_ descriptor: Int32, milliseconds: Int32) -> Readiness {
        // The system would wait for a number that is none.
        guard descriptor >= 0 else { return .gone }
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        let count = poll(&waiting, 1, milliseconds)
        if count < 0 { return .full }
        if waiting.revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0 { return .gone }
        return waiting.revents & Int16(POLLOUT) != 0 ? .ready : .full
    }

    /// How long a reader may take nothing before ``writeAll(_:to:)`` gives up.
    private static let patience: Int32 = 5000

    /// Writes all of a text, and waits for a slow reader, at most 5 seconds without progress.
    ///
    /// - Returns: Whether all of it was written.
    @discardableResult
    package static func writeAll(_ text: String, to descriptor: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        var interruptionCount = 0
        while !rest.isEmpty {
            switch waitToWrite(descriptor, milliseconds: patience) {
            case .ready: break
            case .full where errno == EINTR && interruptionCount < 100:
                interruptionCount += 1
                continue
            case .full, .gone: return false
            }
            let count = rest.prefix(LineDescriptor.maxPieceByteCount).withUnsafeBytes {
                write(descriptor, $0.baseAddress, $0.count)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count == 0 || errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK {
                return false
            }
        }
        return true
    }
}

/// A descriptor that takes sentences from any thread and makes none of them wait.
///
/// A sentence that cannot be written at once is dropped: where the descriptor is a pipe whose reader has stopped, on a full disk, or
/// closed. The next sentence that can be written comes after a line with the number of those that were dropped, and after the
/// end of a line that was written in part.
package final class LineDescriptor: Sendable {
    /// POSIX `PIPE_BUF` on Linux: so much goes to a pipe that is ready without waiting.
    static let maxPieceByteCount = 4096

    /// Standard error.
    package static let standardError = LineDescriptor(2)

    private struct State {
        /// Whether the last line that was written lacks its end.
        var isTorn = false
        var droppedCount = 0
    }

    private let descriptor: Int32
    private let state = Mutex(State())

    package init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Writes a sentence and the end of a line, or drops the sentence.
    package func write(_ sentence: String) {
        state.withLock { state in
            var notice: [UInt8] = state.isTorn ? [0x0A] : []
            if state.droppedCount > 0 { notice += "\(state.droppedCount) lines were dropped\n".utf8 }
            let bytes = notice + Array((sentence + "\n").utf8)
            let count = writeNow(bytes)
            if count > 0 { state.isTorn = bytes[count - 1] != 0x0A }
            if count == bytes.count {
                state.droppedCount = 0
            } else {
                state.droppedCount = (count >= notice.count && !notice.isEmpty ? 0 : state.droppedCount) + 1
            }
        }
    }

    /// Writes as much as goes without waiting.
    private func writeNow(_ bytes: [UInt8]) -> Int {
        var written = 0
        while written < bytes.count,
            StandardDescriptors.waitToWrite(descriptor, milliseconds: 0) == .ready
        {
            let count = bytes[written...].prefix(Self.maxPieceByteCount).withUnsafeBytes {
                #if canImport(Glibc)
                    Glibc.write(descriptor, $0.baseAddress, $0.count)
                #else
                    Darwin.write(descriptor, $0.baseAddress, $0.count)
                #endif
            }
            if count > 0 {
                written += count
            } else if count == 0 || errno != EINTR {
                break
            }
        }
        return written
    }
}
