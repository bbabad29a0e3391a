// SPDX-License-Identifier: MIT

internal import PortcullisTransport

extension Server {
    /// Receives the server's messages for its operator, a sentence at a time.
    ///
    /// They contain no secrets, and of requests only hosts.
    public typealias Log = @Sendable (_ sentence: String) -> Void

    /// Writes a sentence and the end of a line to standard error.
    ///
    /// Does not wait: drops a sentence that standard error does not take at once, as on a full disk or where the
    /// reader of a pipe has stopped. The next line that can be written says how many were dropped.
    public static func logToStandardError(_ sentence: String) {
        LineDescriptor.standardError.write(sentence)
    }
}
