// SPDX-License-Identifier: MIT

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Reads files named on the command line.
package enum InputFile {
    /// The error for a file that was not read.
    package struct Unreadable: Error, Hashable {
        /// The reason, with the system's message.
        package let message: String
    }

    /// Reads a file of at most `maxByteCount` bytes.
    ///
    /// Blocks its thread while it reads.
    package static func contents(of path: String, maxByteCount: Int) throws(Unreadable) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable("cannot be opened") }
        defer { close(descriptor) }
        var contents: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = piece.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else { throw unreadable("cannot be read") }
            if count == 0 { return contents }
            contents += piece.prefix(count)
            guard contents.count <= maxByteCount else {
                throw Unreadable(message: "has more than \(maxByteCount) bytes")
            }
        }
    }

    private static func unreadable(_ what: String) -> Unreadable {
        Unreadable(message: what + ": " + (strerror(errno).map { String(cString: $0) } ?? "unknown reason"))
    }
}

extension InputFile.Unreadable: CustomStringConvertible {
    /// The reason, with the system's message.
    package var description: String { message }
}
