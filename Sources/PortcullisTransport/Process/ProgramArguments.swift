// SPDX-License-Identifier: MIT

#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Glibc)
    internal import Glibc
#endif

/// The words on the command line of this process.
package enum ProgramArguments {
    /// The reason for ending a program that cannot read its own command line, as a sentence.
    package static let unreadable = "the command line cannot be read; is /proc mounted?"

    /// The words after the name of the program, or `nil` if they cannot be read.
    ///
    /// Swift's `CommandLine.arguments` is empty on Linux where `/proc` is missing, and in a statically linked program also
    /// if a preloaded library has called `setenv`; a program that took that for an empty command line would do something
    /// that its caller has not asked for. So the kernel's list is read here, and a list without a program name is none.
    package static func read() -> [String]? {
        #if canImport(Darwin)
            return words(CommandLine.arguments)
        #else
            return read(from: "/proc/self/cmdline")
        #endif
    }

    /// The words after the first one of a list that starts with the name of the program.
    package static func words(_ arguments: [String]) -> [String]? {
        guard let name = arguments.first, !name.isEmpty else { return nil }
        return Array(arguments.dropFirst())
    }

    /// Reads a list of words with NUL after each of them, as the kernel shows it.
    package static func read(from path: String) -> [String]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let capacity = piece.count
            let count = piece.withUnsafeMutableBytes { buffer in
                // The module says which function is meant: this type has a `read` too.
                #if canImport(Darwin)
                    Darwin.read(descriptor, buffer.baseAddress, capacity)
                #else
                    Glibc.read(descriptor, buffer.baseAddress, capacity)
                #endif
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { break }
            bytes += piece.prefix(count)
        }
        guard bytes.popLast() == 0 else { return nil }
        let words = bytes.split(separator: 0, omittingEmptySubsequences: false)
        return Self.words(words.map { String(decoding: $0, as: UTF8.self) })
    }
}
