// SPDX-License-Identifier: MIT

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Goes through a log line by line, of whatever length it is.
enum LogSearch {
    /// The longest line that is looked at.
    private static let maxLineByteCount = 65_536

    /// Hands over each line of a file, or of standard input for `-`.
    ///
    /// Holds its thread while it reads.
    static func lines(
        of path: String, _ take: (_ number: Int, _ line: ArraySlice<UInt8>) -> Void
    ) throws(InputFile.Unreadable) {
        let descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable("cannot be opened") }
        defer { if descriptor != 0 { close(descriptor) } }
        var piece = [UInt8](repeating: 0, count: 262_144)
        var line: [UInt8] = []
        var number = 1
        while true {
            let count = piece.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable("cannot be read") }
            guard count > 0 else { break }
            var rest = piece[..<count]
            while let end = rest.firstIndex(of: 0x0A) {
                line += rest[..<end].prefix(maxLineByteCount - line.count)
                take(number, line[...])
                number += 1
                line.removeAll(keepingCapacity: true)
                rest = rest[(end + 1)...]
            }
            line += rest.prefix(maxLineByteCount - line.count)
        }
        if !line.isEmpty { take(number, line[...]) }
    }

    private static func unreadable(_ what: String) -> InputFile.Unreadable {
        .init(message: what + ": " + (strerror(errno).map { String(cString: $0) } ?? "unknown reason"))
    }
}
