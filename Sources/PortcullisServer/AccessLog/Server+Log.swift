// SPDX-License-Identifier: MIT

internal import PortcullisTransport

extension Server {
    /// A message for the operator of a server.
    ///
    /// It contains no secrets, and no parts of requests except hosts.
    public struct LogEntry: Sendable, Hashable, CustomStringConvertible {
        /// How much an entry matters.
        public enum Level: String, Sendable, Hashable, CaseIterable, Comparable {
            /// What happens in normal operation.
            case info
            /// What works, but not as it should, or not for everyone.
            case warning
            /// What failed, such as a handler.
            case error

            /// Whether the first level matters less than the second.
            public static func < (first: Level, second: Level) -> Bool { first.rank < second.rank }

            private var rank: Int {
                switch self {
                case .info: 0
                case .warning: 1
                case .error: 2
                }
            }
        }

        /// How much it matters.
        public let level: Level
        /// What happened, and what to do: a sentence without its level.
        public let message: String
        /// The parts of the message that programs search for, such as `route`, `resource`, `peer` and `host`.
        public let metadata: [String: String]

        package init(_ level: Level, _ message: String, _ metadata: [String: String] = [:]) {
            self.level = level
            self.message = message
            self.metadata = metadata
        }

        package static func info(_ message: String, _ metadata: [String: String] = [:]) -> LogEntry {
            LogEntry(.info, message, metadata)
        }

        package static func warning(_ message: String, _ metadata: [String: String] = [:]) -> LogEntry {
            LogEntry(.warning, message, metadata)
        }

        package static func error(_ message: String, _ metadata: [String: String] = [:]) -> LogEntry {
            LogEntry(.error, message, metadata)
        }

        /// One line: the message, behind `warning: ` or `error: ` for these levels.
        public var description: String { level == .info ? message : "\(level.rawValue): \(message)" }
    }

    /// Receives the server's messages for its operator, one in each call.
    ///
    /// May be called on any thread, event loops included, so it must not block.
    public typealias Log = @Sendable (LogEntry) -> Void

    /// Writes an entry as one line to standard error.
    ///
    /// Does not wait: drops a line that cannot be written to standard error at once, for example on a full
    /// disk or if the reader of a pipe has stopped. The next line that is written says how many were dropped.
    public static func logToStandardError(_ entry: LogEntry) {
        LineDescriptor.standardError.write(entry.description)
    }

    /// Writes a sentence as a line to standard error, in the same way.
    package static func logToStandardError(_ sentence: String) {
        LineDescriptor.standardError.write(sentence)
    }
}
