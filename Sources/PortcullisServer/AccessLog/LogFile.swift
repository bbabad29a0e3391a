// SPDX-License-Identifier: MIT

internal import PortcullisTransport
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A log's file can't be opened or written to.
public struct LogFileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The value of `errno`.
    public let code: Int32

    package init(code: Int32) { self.code = code }

    /// The system's message for the code.
    public var description: String { strerror(code).map { String(cString: $0) } ?? "unknown" }
}

/// A file or descriptor that lines are appended to; a file can be reopened.
///
/// The next write completes a line that was written in part, for example on a full disk. If that is no longer
/// possible, because the file has changed or was reopened, the line counts as lost and is ended, so that the
/// next one begins a new line.
package final class LogFile: Sendable {
    /// Lines that were not written, and why.
    package struct Loss: Sendable, Hashable {
        /// The number of lines, counted from the last one, that were not written.
        package var unwrittenCount: Int
        /// The number of lost lines that an earlier call wrote in part.
        package var tornCount: Int
        package var error: LogFileError

        package init(unwrittenCount: Int, tornCount: Int = 0, error: LogFileError) {
            self.unwrittenCount = unwrittenCount
            self.tornCount = tornCount
            self.error = error
        }
    }

    /// Writes some of the bytes; returns their count, or -1 with `errno`.
    package typealias Write = @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int

    /// The rest of a line that was written in part.
    private struct TornLine {
        /// The missing bytes.
        var rest: [UInt8]
        /// Whether the line has been counted as lost, so that `rest` only ends it.
        var isLost: Bool
        /// The end of the file after the written part; `nil` if it is not a regular file.
        var position: Int64?
        /// The value of ``Opened/opening`` when the line was written.
        var opening: Int
        /// Why the rest was not written.
        var error: LogFileError
    }

    private struct Opened {
        var descriptor: Int32
        /// How often the file was reopened.
        var opening = 0
        var tornLine: TornLine?
    }

    private let path: String?
    private let opened: Mutex<Opened>
    private let writeSome: Write

    /// Uses a descriptor, and leaves it open.
    package init(descriptor: Int32, write: @escaping Write = LogFile.write) {
        path = nil
        opened = Mutex(Opened(descriptor: descriptor))
        writeSome = write
    }

    /// Opens a file for appending; only its owner may read a new file.
    package init(path: String, write: @escaping Write = LogFile.write) throws(LogFileError) {
        self.path = path
        opened = Mutex(Opened(descriptor: try Self.open(path)))
        writeSome = write
    }

    deinit {
        if path != nil { _ = opened.withLock { close($0.descriptor) } }
    }

    private static func open(_ path: String) throws(LogFileError) -> Int32 {
        #if canImport(Glibc)
            let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        #else
            let descriptor = Darwin.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        #endif
        guard descriptor >= 0 else { throw LogFileError(code: errno) }
        return descriptor
    }

    package func reopen() throws(LogFileError) {
        guard let path else { return }
        let new = try Self.open(path)
        // A writer may be using the old descriptor's number right now, so the new file takes that number.
        opened.withLock { opened in
            _ = dup2(new, opened.descriptor)
            _ = fcntl(opened.descriptor, F_SETFD, FD_CLOEXEC)
            opened.opening += 1
        }
        _ = close(new)
    }

    /// Writes whole lines, and waits for a slow reader; stops if there is no reader, or no space on the disk.
    ///
    /// Call it on one thread at a time.
    ///
    /// - Returns: The lost lines; `nil` if all were written.
    package func write(_ lines: [UInt8]) -> Loss? {
        let (descriptor, opening, torn) = opened.withLock { opened in
            (opened.descriptor, opened.opening, opened.tornLine.take())
        }
        var tornCount = 0
        var completion: [UInt8] = []
        var isCompletionLost = true
        if let torn {
            (completion, isCompletionLost) = Self.completion(of: torn, in: descriptor, opening)
            if isCompletionLost, !torn.isLost { tornCount = 1 }
        }
        let bytes = completion + lines
        let count = writeAll(bytes, to: descriptor)
        guard count < bytes.count else {
            guard let torn, tornCount > 0 else { return nil }
            return Loss(unwrittenCount: 0, tornCount: tornCount, error: torn.error)
        }
        let error = LogFileError(code: errno)
        var rest = bytes[count...]
        if count < completion.count || count > completion.count && bytes[count - 1] != 0x0A {
            let end = rest.firstIndex(of: 0x0A).map { $0 + 1 } ?? rest.endIndex
            let tornLine = TornLine(
                rest: Array(rest[..<end]), isLost: count < completion.count && isCompletionLost,
                position: Self.position(descriptor), opening: opening, error: error)
            opened.withLock { $0.tornLine = tornLine }
            rest = rest[end...]
        }
        let unwrittenCount = rest.count { $0 == 0x0A }
        guard unwrittenCount + tornCount > 0 else { return nil }
        return Loss(unwrittenCount: unwrittenCount, tornCount: tornCount, error: error)
    }

    /// The bytes to write before the next line, and whether the torn line is lost.
    private static func completion(
        of torn: TornLine, in descriptor: Int32, _ opening: Int
    ) -> (bytes: [UInt8], isLost: Bool) {
        guard torn.opening == opening else { return ([], true) }
        guard let position = torn.position else { return ([0x0A], true) }
        switch size(descriptor) {
        case position: return (torn.rest, torn.isLost)
        case 0: return ([], true)
        // The file was changed by another program.
        default: return ([0x0A], true)
        }
    }

    /// - Returns: The number of bytes written; fewer than given after an error, whose code is in `errno`.
    private func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int {
        var written = 0
        while written < bytes.count {
            // Polls before the write, because a pipe without a reader would raise SIGPIPE.
            switch StandardDescriptors.waitToWrite(descriptor, milliseconds: 1000) {
            case .ready: break
            case .full: continue
            case .gone:
                errno = EPIPE
                return written
            }
            let count = bytes[written...].withUnsafeBytes { writeSome(descriptor, $0) }
            if count > 0 {
                written += count
            } else if count == 0 {
                errno = EIO
                return written
            } else if errno != EINTR, errno != EAGAIN, errno != EWOULDBLOCK {
                return written
            }
        }
        return written
    }

    private static func position(_ descriptor: Int32) -> Int64? {
        size(descriptor) == nil ? nil : Int64(lseek(descriptor, 0, SEEK_CUR))
    }

    /// The size of a regular file.
    private static func size(_ descriptor: Int32) -> Int64? {
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        return Int64(information.st_size)
    }

    package static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #else
            Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }
}
