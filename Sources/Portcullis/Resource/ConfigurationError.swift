// SPDX-License-Identifier: MIT

/// All problems of a configuration, found in one pass.
///
/// Messages are fixed sentences that name the mistake and the correct value; they contain no secrets.
public struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One problem.
    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// A JSON path such as `$.resources[0].metadata.resource`, or `nil` if the value stands alone.
        public let path: String?
        /// The mistake, and the correct value.
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

    /// The problems in the order of the configuration; at least one.
    public let problems: [Problem]

    /// Makes an error from one or more problems.
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
