// SPDX-License-Identifier: MIT

import PortcullisConfiguration
import PortcullisTransport
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Standard output and standard error.
package struct Console: Sendable {
    /// Whether standard output may use colours.
    package let hasColours: Bool
    /// Whether standard error is a terminal, on which a line can be overwritten.
    package let isErrorTerminal: Bool
    private let output: @Sendable (String) -> Bool
    private let errors: @Sendable (String) -> Void
    private let failure: OutputFailure

    /// Creates a console, for tests.
    ///
    /// - Parameter output: Writes to standard output, and returns whether that succeeded.
    package init(
        hasColours: Bool = false, isErrorTerminal: Bool = false, output: @escaping @Sendable (String) -> Bool,
        errors: @escaping @Sendable (String) -> Void
    ) {
        self.hasColours = hasColours
        self.isErrorTerminal = isErrorTerminal
        self.output = output
        self.errors = errors
        failure = OutputFailure()
    }

    /// The process's own descriptors, unbuffered.
    ///
    /// Uses colours on a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    package static var standard: Console {
        let isPlain = variable("NO_COLOR").map { !$0.isEmpty } ?? false || variable("TERM") == "dumb"
        return Console(
            hasColours: isatty(1) == 1 && !isPlain, isErrorTerminal: isatty(2) == 1,
            output: { StandardDescriptors.writeAll($0, to: 1) },
            errors: { StandardDescriptors.writeAll($0, to: 2) })
    }

    /// Writes lines to standard output, and escapes characters that are unsafe on a terminal.
    package func write(_ text: String) { writePainted(TerminalText.printableLines(text)) }

    /// Writes a JSON document to standard output, and escapes characters that are unsafe on a terminal.
    package func writeJSON(_ document: String) { writePainted(TerminalText.printableJSON(document)) }

    /// Writes text with colour codes to standard output.
    ///
    /// The caller escapes untrusted parts with ``TerminalText/printable(_:)``.
    func writePainted(_ text: String) {
        if !output(text) { failure.hasHappened.store(true, ordering: .relaxed) }
    }

    /// Writes lines to standard error, and escapes characters that are unsafe on a terminal.
    package func writeError(_ text: String) { errors(TerminalText.printableLines(text)) }

    /// Replaces the current line of the terminal on standard error.
    func writeErrorOver(_ text: String) { errors("\r\u{1B}[K" + TerminalText.printable(text)) }

    /// A console that writes nothing.
    var quiet: Console { Console(output: { _ in true }, errors: { _ in }) }

    /// The same console, which calls a closure before each output.
    func announcing(_ willWrite: @escaping @Sendable () -> Void) -> Console {
        Console(copying: self, willWrite)
    }

    private init(copying other: Console, _ willWrite: @escaping @Sendable () -> Void) {
        hasColours = other.hasColours
        isErrorTerminal = other.isErrorTerminal
        failure = other.failure
        output = { [write = other.output] text in
            willWrite()
            return write(text)
        }
        errors = { [write = other.errors] text in
            willWrite()
            write(text)
        }
    }

    /// Whether every write to standard output succeeded.
    package var hasWrittenAll: Bool { !failure.hasHappened.load(ordering: .relaxed) }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}

private final class OutputFailure: Sendable {
    let hasHappened = Atomic<Bool>(false)
}
