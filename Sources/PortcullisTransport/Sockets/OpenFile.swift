// SPDX-License-Identifier: MIT

internal import CPlatform

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A regular file that is open for reading, and is closed when nobody needs it any more.
///
/// Reading it moves no position, so that one may be sent to many clients at a time.
public final class OpenFile: Sendable {
    /// How many bytes the file had when it was opened.
    public let byteCount: Int
    private let descriptor: Int32

    /// Opens a file by its name.
    ///
    /// Follows symbolic links, and checks no name for `..`: a name that comes from a request must have been checked. Waits for the
    /// file system.
    ///
    /// - Throws: ``FileError``.
    public convenience init(_ path: String) throws(FileError) {
        // A pipe would keep its opener waiting for the other end.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileError(code: errno) }
        try self.init(taking: descriptor)
    }

    /// Takes over a descriptor that is open for reading.
    ///
    /// - Throws: ``FileError`` if it is none of a regular file; the descriptor is closed then too.
    public init(taking descriptor: Int32) throws(FileError) {
        var information = stat()
        let code = fstat(descriptor, &information) == 0 ? 0 : errno
        let isRegular = information.st_mode & S_IFMT == S_IFREG
        guard code == 0, isRegular else {
            _ = closeDescriptor(descriptor)
            throw code == 0 ? .notRegular : FileError(code: code)
        }
        self.descriptor = descriptor
        byteCount = Int(information.st_size)
    }

    deinit { _ = closeDescriptor(descriptor) }

    /// Whether the system sends files to sockets without copying them through memory.
    package static var canSendDirectly: Bool {
        #if os(Linux)
            true
        #else
            false
        #endif
    }

    /// Sends a part of the file to a socket that does not block, without copying it through memory.
    ///
    /// Never raises SIGPIPE. Waits for the file system where the part is not in its cache.
    ///
    /// - Returns: How many bytes went, zero at the end of the file, or -1 with `errno`.
    package func send(_ range: Range<Int>, to socket: Int32) -> Int {
        #if os(Linux)
            cplatform_sendfile(socket, descriptor, off_t(range.lowerBound), range.count)
        #else
            errno = ENOSYS
            return -1
        #endif
    }

    /// Reads from an offset on, as many bytes as the buffer takes or fewer.
    ///
    /// - Returns: How many bytes were read, zero at the end of the file, or -1 with `errno`.
    package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
    }
}

/// Why a file can't be opened.
public enum FileError: Error, Sendable, Hashable {
    /// There is none of that name. A handler that lets this through answers 404.
    case notFound
    /// It is a directory, a pipe or a device.
    case notRegular
    /// Anything else, by the value of `errno`.
    case system(Int32)

    fileprivate init(code: Int32) {
        self = code == ENOENT || code == ENOTDIR ? .notFound : .system(code)
    }
}
