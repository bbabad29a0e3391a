// SPDX-License-Identifier: MIT

import PortcullisTransport

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Writes files named on the command line.
package enum OutputFile {
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

    /// Writes a text to a file, which is created if it does not exist.
    ///
    /// Blocks its thread while it writes.
    package static func write(_ text: String, to path: String, _ mode: Mode = .replacing) throws(Unwritable) {
        let flags = O_WRONLY | O_CREAT | O_CLOEXEC | (mode == .replacing ? O_TRUNC : O_APPEND)
        let descriptor = open(path, flags, 0o644)
        guard descriptor >= 0 else { throw unwritable("cannot be opened") }
        defer { close(descriptor) }
        guard StandardDescriptors.writeAll(text, to: descriptor) else {
            throw unwritable("cannot be written")
        }
    }

    /// Shortens a file.
    static func cut(_ path: String, to byteCount: Int) throws(Unwritable) {
        guard truncate(path, off_t(byteCount)) == 0 else { throw unwritable("cannot be shortened") }
    }

    private static func unwritable(_ what: String) -> Unwritable {
        Unwritable(message: what + ": " + (strerror(errno).map { String(cString: $0) } ?? "unknown reason"))
    }
}
