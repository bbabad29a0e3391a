// SPDX-License-Identifier: MIT

internal import CPlatform

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A regular file open for reading; closed when the last reference is released.
///
/// Reads have no shared position, so one file can be sent to many clients at a time.
public final class OpenFile: Sendable {
    /// The byte count of the file when it was opened.
    public let byteCount: Int
    private let descriptor: Int32

    /// Opens a file by its path.
    ///
    /// Follows symbolic links, and does not check for `..`: check a path from a request first. Blocks on the
    /// file system.
    ///
    /// - Throws: ``FileError``.
    public convenience init(_ path: String) throws(FileError) {
        // Opening a pipe would block until it has a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileError(code: errno) }
        try self.init(taking: descriptor)
    }

    /// Takes ownership of a descriptor open for reading.
    ///
    /// - Throws: ``FileError`` if it is not a regular file; closes the descriptor.
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

    /// Whether the system can send files to sockets without copying them through memory.
    package static var canSendDirectly: Bool {
        #if os(Linux)
            true
        #else
            false
        #endif
    }

    /// Sends a part of the file to a non-blocking socket, without copying it through memory.
    ///
    /// Never raises SIGPIPE. Blocks on the file system if the part is not in its cache.
    ///
    /// - Returns: The number of bytes sent, zero at the end of the file, or -1 with `errno`.
    package func send(_ range: Range<Int>, to socket: Int32) -> Int {
        #if os(Linux)
            cplatform_sendfile(socket, descriptor, off_t(range.lowerBound), range.count)
        #else
            errno = ENOSYS
            return -1
        #endif
    }

    /// Reads from an offset, at most as many bytes as the buffer has room for.
    ///
    /// - Returns: The number of bytes read, zero at the end of the file, or -1 with `errno`.
    package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
    }
}

/// Why a file can't be opened.
public enum FileError: Error, Sendable, Hashable {
    /// There is no such file. A handler that throws this error answers 404.
    case notFound
    /// The path names a directory, a pipe or a device.
    case notRegular
    /// Any other error; the number is `errno`.
    case system(Int32)

    fileprivate init(code: Int32) {
        self = code == ENOENT || code == ENOTDIR ? .notFound : .system(code)
    }
}

extension FileError: CustomStringConvertible {
    /// A phrase for a log.
    public var description: String {
        switch self {
        case .notFound: "there is no such file"
        case .notRegular: "it is a directory, a pipe or a device"
        case .system(let code): SystemMessage.text(code)
        }
    }
}
