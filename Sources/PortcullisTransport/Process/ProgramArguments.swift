// SPDX-License-Identifier: MIT

#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Glibc)
    internal import Glibc
#endif

/// The command line arguments of this process.
package enum ProgramArguments {
    /// The message of a program that cannot read its own command line.
    package static let unreadable = "cannot read the command line arguments; is /proc mounted?"

    /// The arguments after the name of the program, or `nil` if they cannot be read.
    ///
    /// Swift's `CommandLine.arguments` is empty on Linux without `/proc`, and in a statically linked program
    /// also after a preloaded library has called `setenv`; a program that took this for an empty command line
    /// would do something that its user did not request. So this reads the kernel's list, and rejects a list
    /// without a program name.
    package static func read() -> [String]? {
        #if canImport(Darwin)
            return words(CommandLine.arguments)
        #else
            return read(from: "/proc/self/cmdline")
        #endif
    }

    /// The arguments after the program name, or `nil` if there is no program name.
    package static func words(_ arguments: [String]) -> [String]? {
        guard let name = arguments.first, !name.isEmpty else { return nil }
        return Array(arguments.dropFirst())
    }

    /// Reads a list of arguments, each followed by NUL, in the kernel's format.
    package static func read(from path: String) -> [String]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let capacity = piece.count
            let count = piece.withUnsafeMutableBytes { buffer in
                // Qualified with the module, because this type has a `read` too.
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
