// SPDX-License-Identifier: MIT

import PortcullisTransport
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file named on the command line, to be written in pieces.
package final class OutputFile: Sendable {
    /// The error for a file that was not written.
    package struct Unwritable: Error, Hashable {
        /// The reason, with the system's message.
        package let message: String
    }

    /// What becomes of a file's present content.
    package enum Mode: Sendable, Hashable {
        /// It is replaced.
        case replacing
        /// The text follows it.
        case appending
    }

    private let descriptor: Int32
    /// The first error of a write.
    private let fault = Mutex<Unwritable?>(nil)

    /// Opens a file, which is created if it does not exist.
    package init(_ path: String, _ mode: Mode = .replacing) throws(Unwritable) {
        let flags = O_WRONLY | O_CREAT | O_CLOEXEC | (mode == .replacing ? O_TRUNC : O_APPEND)
        descriptor = open(path, flags, 0o644)
        guard descriptor >= 0 else { throw Self.unwritable("cannot be opened") }
    }

    deinit {
        if descriptor >= 0 { Self.closeDescriptor(descriptor) }
    }

    /// Writes a piece, and blocks its thread meanwhile; ``close()`` throws an error of it.
    package func write(_ text: String) {
        guard !StandardDescriptors.writeAll(text, to: descriptor) else { return }
        let error = Self.unwritable("cannot be written")
        fault.withLock { $0 = $0 ?? error }
    }

    /// Ends the file.
    ///
    /// - Throws: ``Unwritable`` if a piece could not be written.
    package func close() throws(Unwritable) {
        if let fault = fault.withLock({ $0 }) { throw fault }
    }

    /// Writes a whole text to a file.
    package static func write(_ text: String, to path: String, _ mode: Mode = .replacing) throws(Unwritable) {
        let file = try OutputFile(path, mode)
        file.write(text)
        try file.close()
    }

    /// Shortens a file.
    static func cut(_ path: String, to byteCount: Int) throws(Unwritable) {
        guard truncate(path, off_t(byteCount)) == 0 else { throw unwritable("cannot be shortened") }
    }

    private static func closeDescriptor(_ descriptor: Int32) {
        #if canImport(Glibc)
            Glibc.close(descriptor)
        #else
            Darwin.close(descriptor)
        #endif
    }

    private static func unwritable(_ what: String) -> Unwritable {
        Unwritable(message: what + ": " + (strerror(errno).map { String(cString: $0) } ?? "unknown reason"))
    }
}
