// SPDX-License-Identifier: MIT

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Reads a log of any length line by line.
enum LogSearch {
    /// The length above which a line is skipped; the server's own lines are shorter.
    static let maxLineByteCount = 65_536

    /// Passes each line of a file, or of standard input for `-`, to a closure.
    ///
    /// Keeps at most one line in memory. Blocks its thread while it reads.
    ///
    /// - Returns: The number of lines that were skipped because of their length.
    static func lines(
        of path: String, _ take: (_ number: Int, _ line: ArraySlice<UInt8>) -> Void
    ) throws(InputFile.Unreadable) -> Int {
        let descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable("cannot be opened") }
        defer { if descriptor != 0 { close(descriptor) } }
        var piece = [UInt8](repeating: 0, count: 262_144)
        var lines = LineCutter()
        while true {
            let count = piece.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable("cannot be read") }
            guard count > 0 else { break }
            lines.append(piece[..<count], take)
        }
        lines.end(take)
        return lines.skippedCount
    }

    /// Assembles lines from pieces.
    private struct LineCutter {
        private(set) var skippedCount = 0
        private var line: [UInt8] = []
        private var isTooLong = false
        private var number = 1

        mutating func append(_ piece: ArraySlice<UInt8>, _ take: (Int, ArraySlice<UInt8>) -> Void) {
            var rest = piece
            while let end = rest.firstIndex(of: 0x0A) {
                add(rest[..<end])
                self.end(take)
                rest = rest[(end + 1)...]
            }
            add(rest)
        }

        private mutating func add(_ part: ArraySlice<UInt8>) {
            isTooLong = isTooLong || part.count > maxLineByteCount - line.count
            if !isTooLong { line += part }
        }

        mutating func end(_ take: (Int, ArraySlice<UInt8>) -> Void) {
            if isTooLong {
                skippedCount += 1
            } else if !line.isEmpty {
                take(number, line[...])
            }
            number += 1
            isTooLong = false
            line.removeAll(keepingCapacity: true)
        }
    }

    private static func unreadable(_ what: String) -> InputFile.Unreadable {
        .init(message: what + ": " + (strerror(errno).map { String(cString: $0) } ?? "unknown reason"))
    }
}
