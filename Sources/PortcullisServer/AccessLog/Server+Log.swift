// SPDX-License-Identifier: MIT

internal import PortcullisTransport

extension Server {
    /// Receives what the server has to tell its operator, one sentence at a time, without secrets and without text from requests, but for hosts.
    public typealias Log = @Sendable (_ sentence: String) -> Void

    /// Writes a sentence and the end of a line to standard error.
    ///
    /// Does not wait: a sentence that standard error does not take at once, as on a full disk or where a pipe's reader has stopped, is
    /// dropped, and a line says how many were as soon as one can be written again.
    public static func logToStandardError(_ sentence: String) {
        LineDescriptor.standardError.write(sentence)
    }
}
