// SPDX-License-Identifier: MIT

internal import PortcullisTransport

extension Server {
    /// Receives the server's messages for its operator, one in each call.
    ///
    /// They contain no secrets, and no parts of requests except hosts.
    public typealias Log = @Sendable (_ sentence: String) -> Void

    /// Writes a message and a line feed to standard error.
    ///
    /// Does not wait: drops a message that cannot be written to standard error at once, for example on a full
    /// disk or if the reader of a pipe has stopped. The next line that is written says how many were dropped.
    public static func logToStandardError(_ sentence: String) {
        LineDescriptor.standardError.write(sentence)
    }
}
