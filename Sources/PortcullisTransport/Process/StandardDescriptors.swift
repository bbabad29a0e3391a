// SPDX-License-Identifier: MIT

internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Standard input, output and error.
package enum StandardDescriptors {
    /// Opens `/dev/null` for each one that is closed.
    ///
    /// Otherwise the next file or socket gets that number, and receives what is written to standard error.
    /// Call it before anything is opened.
    package static func fill() {
        // `open` returns the lowest free number, so each call fills the first gap.
        for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
            _ = open("/dev/null", O_RDWR)
        }
    }

    /// The outcome of waiting to write to a descriptor.
    package enum Readiness: Sendable, Hashable {
        case ready
        /// The reader did not read enough in time.
        case full
        /// There is no reader, or the descriptor is closed.
        case gone
    }

    /// Waits until a descriptor accepts bytes, at most this many milliseconds.
    ///
    /// A pipe that is `ready` accepts `PIPE_BUF` bytes without blocking. Writing without a reader would raise
    /// SIGPIPE, so this polls first.
    package static func waitToWrite(_ descriptor: Int32, milliseconds: Int32) -> Readiness {
        // `poll` ignores a negative number, and would wait.
        guard descriptor >= 0 else { return .gone }
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        let count = poll(&waiting, 1, milliseconds)
        if count < 0 { return .full }
        if waiting.revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0 { return .gone }
        return waiting.revents & Int16(POLLOUT) != 0 ? .ready : .full
    }

    /// How long ``writeAll(_:to:)`` waits for a reader that reads nothing, in milliseconds.
    private static let stallTimeoutMilliseconds: Int32 = 5000

    /// Writes a whole text, and waits for a slow reader, at most 5 seconds without progress.
    ///
    /// - Returns: Whether the whole text was written.
    @discardableResult
    package static func writeAll(_ text: String, to descriptor: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        var interruptionCount = 0
        while !rest.isEmpty {
            switch waitToWrite(descriptor, milliseconds: stallTimeoutMilliseconds) {
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

/// A descriptor that accepts lines from any thread and never blocks.
///
/// Drops a line that cannot be written at once: to a pipe whose reader has stopped, on a full disk, or to a
/// closed descriptor. Before the next line it ends a partly written line and writes the number of dropped
/// lines.
package final class LineDescriptor: Sendable {
    /// POSIX `PIPE_BUF` on Linux: a pipe that is ready accepts this much without blocking.
    static let maxPieceByteCount = 4096

    /// Standard error.
    package static let standardError = LineDescriptor(2)

    private struct State {
        /// Whether the last line was written only in part.
        var isTorn = false
        var droppedCount = 0
    }

    private let descriptor: Int32
    private let state = Mutex(State())

    package init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Writes a line, or drops it.
    package func write(_ sentence: String) {
        state.withLock { state in
            var notice: [UInt8] = state.isTorn ? [0x0A] : []
            if state.droppedCount > 0 {
                let words = state.droppedCount == 1 ? "line was" : "lines were"
                notice += "\(state.droppedCount) \(words) dropped\n".utf8
            }
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

    /// Writes as much as possible without blocking.
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
