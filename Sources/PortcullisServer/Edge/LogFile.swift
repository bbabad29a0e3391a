// SPDX-License-Identifier: MIT

internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A log's file can't be opened.
public struct LogFileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The system's code for why.
    public let code: Int32

    /// The system's sentence for the code.
    public var description: String { strerror(code).map { String(cString: $0) } ?? "unknown" }
}

/// A descriptor that lines are added to, and what it takes to open it again.
package final class LogFile: Sendable {
    private let path: String?
    private let descriptor: Mutex<Int32>

    /// Takes a descriptor that stays open.
    package init(descriptor: Int32) {
        path = nil
        self.descriptor = Mutex(descriptor)
    }

    /// Opens a file to add to; only its owner may read a new one.
    package init(path: String) throws(LogFileError) {
        self.path = path
        descriptor = Mutex(try Self.open(path))
    }

    deinit {
        if path != nil { _ = descriptor.withLock { close($0) } }
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
        descriptor.withLock { old in
            _ = dup2(new, old)
            _ = fcntl(old, F_SETFD, FD_CLOEXEC)
        }
        _ = close(new)
    }

    /// Writes everything, and waits for a reader that is slow; gives up when there is none.
    package func write(_ lines: [UInt8]) {
        let descriptor = descriptor.withLock { $0 }
        var rest = lines[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Self.write(descriptor, $0) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&waiting, 1, 1000)
            } else if errno != EINTR {
                return
            }
        }
    }

    private static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #else
            Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }
}
