// SPDX-License-Identifier: MIT

/// Everything that is wrong with a configuration, found in one pass.
///
/// Messages are fixed sentences that say what is wrong and what would be right; they hold no secrets.
public struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One thing that is wrong.
    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// Where: a JSON path such as `$.resources[0].metadata.resource`, or nothing if the value stands alone.
        public let path: String?
        /// What is wrong and what would be right.
        public let message: String

        /// Makes a problem.
        public init(path: String? = nil, _ message: String) {
            self.path = path
            self.message = message
        }

        /// The path, a colon and the message.
        public var description: String {
            path.map { "\($0): \(message)" } ?? message
        }
    }

    /// What is wrong, in the order of the configuration; at least one entry.
    public let problems: [Problem]

    /// Makes an error from what was found.
    public init(_ problems: [Problem]) {
        precondition(!problems.isEmpty, "A configuration error names at least one problem.")
        self.problems = problems
    }

    /// Makes an error from a single sentence.
    public init(_ message: String, path: String? = nil) {
        problems = [Problem(path: path, message)]
    }

    /// The problems, one a line.
    public var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}
