// SPDX-License-Identifier: MIT

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where the program writes, and what can be seen there.
package struct Console: Sendable {
    /// Whether standard output shows colours.
    package let hasColours: Bool
    /// Whether standard error is a terminal, on which a line can be written over.
    package let isErrorTerminal: Bool
    private let output: @Sendable (String) -> Void
    private let errors: @Sendable (String) -> Void

    /// Makes a console, for tests.
    package init(
        hasColours: Bool = false, isErrorTerminal: Bool = false, output: @escaping @Sendable (String) -> Void,
        errors: @escaping @Sendable (String) -> Void
    ) {
        self.hasColours = hasColours
        self.isErrorTerminal = isErrorTerminal
        self.output = output
        self.errors = errors
    }

    /// The process's own: unbuffered, so that whoever started the program sees a line as soon as it is written.
    ///
    /// There are colours on a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    package static var standard: Console {
        let isPlain = variable("NO_COLOR").map { !$0.isEmpty } ?? false || variable("TERM") == "dumb"
        return Console(
            hasColours: isatty(1) == 1 && !isPlain, isErrorTerminal: isatty(2) == 1,
            output: { writeAll($0, to: 1) }, errors: { writeAll($0, to: 2) })
    }

    /// Writes to standard output.
    package func write(_ text: String) { output(text) }

    /// Writes to standard error.
    package func writeError(_ text: String) { errors(text) }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}

private func writeAll(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        // Nobody reads any more: there is nothing left to tell and nobody to tell it to.
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
    }
}
