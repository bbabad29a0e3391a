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
    /// The system's code for why.
    public let code: Int32

    package init(code: Int32) { self.code = code }

    /// The system's sentence for the code.
    public var description: String { strerror(code).map { String(cString: $0) } ?? "unknown" }
}

/// A descriptor that lines are added to, and what it takes to open it again.
///
/// A line that was written in part, since the disk was full, is completed by the next write. If that is no longer possible, because the
/// file has changed or another one is open, the line counts as lost and is ended, so that the next one begins a line.
package final class LogFile: Sendable {
    /// Lines that were not written, and why.
    package struct Loss: Sendable, Hashable {
        /// How many of the lines that were to be written, from the end.
        package var unwrittenCount: Int
        /// How many that an earlier call wrote in part.
        package var tornCount: Int
        package var error: LogFileError

        package init(unwrittenCount: Int, tornCount: Int = 0, error: LogFileError) {
            self.unwrittenCount = unwrittenCount
            self.tornCount = tornCount
            self.error = error
        }
    }

    /// Writes some of the bytes: the count that was written, or -1 and `errno`.
    package typealias Write = @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int

    /// The end of a line whose beginning is in the file.
    private struct TornLine {
        /// What is missing.
        var rest: [UInt8]
        /// Whether the line has been counted as lost, so that `rest` only ends it.
        var isLost: Bool
        /// Where the file ended behind what was written of the line; nil if it is no regular file.
        var position: Int64?
        /// Which of the opened files it is in.
        var opening: Int
        /// Why the rest was not written.
        var error: LogFileError
    }

    private struct Opened {
        var descriptor: Int32
        /// How often the file was opened again.
        var opening = 0
        var tornLine: TornLine?
    }

    private let path: String?
    private let opened: Mutex<Opened>
    private let writeSome: Write

    /// Takes a descriptor that stays open.
    package init(descriptor: Int32, write: @escaping Write = LogFile.write) {
        path = nil
        opened = Mutex(Opened(descriptor: descriptor))
        writeSome = write
    }

    /// Opens a file to add to; only its owner may read a new one.
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
        // The number of the old one may be in use by a writer at this moment, so the new file gets that number.
        opened.withLock { opened in
            _ = dup2(new, opened.descriptor)
            _ = fcntl(opened.descriptor, F_SETFD, FD_CLOEXEC)
            opened.opening += 1
        }
        _ = close(new)
    }

    /// Writes whole lines, and waits for a reader that is slow; gives up when there is none, or no room on the disk.
    ///
    /// To be called by one thread at a time.
    ///
    /// - Returns: The lines that are lost; nil if all of them were written.
    package func write(_ lines: [UInt8]) -> Loss? {
        let (descriptor, opening, torn) = opened.withLock { opened in
            (opened.descriptor, opened.opening, opened.tornLine.take())
        }
        var tornCount = 0
        var mending: [UInt8] = []
        var isMendingLost = true
        if let torn {
            (mending, isMendingLost) = Self.mending(torn, in: descriptor, opening)
            if isMendingLost, !torn.isLost { tornCount = 1 }
        }
        let bytes = mending + lines
        let count = writeAll(bytes, to: descriptor)
        guard count < bytes.count else {
            guard let torn, tornCount > 0 else { return nil }
            return Loss(unwrittenCount: 0, tornCount: tornCount, error: torn.error)
        }
        let error = LogFileError(code: errno)
        var rest = bytes[count...]
        if count < mending.count || count > mending.count && bytes[count - 1] != 0x0A {
            let end = rest.firstIndex(of: 0x0A).map { $0 + 1 } ?? rest.endIndex
            let tornLine = TornLine(
                rest: Array(rest[..<end]), isLost: count < mending.count && isMendingLost,
                position: Self.position(descriptor), opening: opening, error: error)
            opened.withLock { $0.tornLine = tornLine }
            rest = rest[end...]
        }
        let unwrittenCount = rest.count { $0 == 0x0A }
        guard unwrittenCount + tornCount > 0 else { return nil }
        return Loss(unwrittenCount: unwrittenCount, tornCount: tornCount, error: error)
    }

    /// The bytes that come before the next line, and whether they give the torn line up.
    private static func mending(
        _ torn: TornLine, in descriptor: Int32, _ opening: Int
    ) -> (bytes: [UInt8], isLost: Bool) {
        guard torn.opening == opening else { return ([], true) }
        guard let position = torn.position else { return ([0x0A], true) }
        switch size(descriptor) {
        case position: return (torn.rest, torn.isLost)
        case 0: return ([], true)
        // Something else was added or taken away.
        default: return ([0x0A], true)
        }
    }

    /// - Returns: How many bytes were written; fewer than there are after an error, whose code is in `errno`.
    private func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int {
        var written = 0
        while written < bytes.count {
            // The wait comes before the write, since a pipe without a reader would raise SIGPIPE.
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
