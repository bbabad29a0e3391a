// SPDX-License-Identifier: MIT

internal import PortcullisTransport

/// One line for each request: who asked for what, and what came of it.
///
/// A line has the time of the answer, the client's address, method, path without the query, status, bytes, duration, the request's
/// identifier, its route, the resource that it belongs to, and why the gate refused it: with what it expected, and what the request had,
/// claims of its token among it. Tokens, proofs and query values are in none.
///
/// Lines are gathered and written by a thread of the log's own, so that a slow disk or reader delays no request. At most 1 MiB waits;
/// what comes while it is full is dropped, and a line says how many were. A request without an answer has no status.
public final class AccessLog: Sendable {
    /// How a line looks.
    public enum Format: String, Sendable, Hashable, CaseIterable {
        /// The Common Log Format with `name=value` pairs behind it.
        case text
        /// A JSON object.
        case json
    }

    private let format: Format
    private let queue: LineQueue
    private let file: LogFile?
    private let now: @Sendable () -> Double

    /// Makes a log on standard error.
    public static func standardError(_ format: Format) -> AccessLog {
        AccessLog(format, file: LogFile(descriptor: 2))
    }

    /// Makes a log that is added to the end of a file, which is made if it is not there.
    ///
    /// - Throws: ``LogFileError`` if the file can't be opened.
    public static func file(_ path: String, _ format: Format) throws(LogFileError) -> AccessLog {
        AccessLog(format, file: try LogFile(path: path))
    }

    /// Makes a log that hands over whole lines, several at a time, from a thread that may be held.
    public static func lines(
        _ format: Format, to receive: @escaping @Sendable (_ lines: [UInt8]) -> Void
    ) -> AccessLog {
        AccessLog(format, file: nil, now: TimeOfDay.secondsSince1970, receive)
    }

    private convenience init(_ format: Format, file: LogFile) {
        self.init(format, file: file, now: TimeOfDay.secondsSince1970) { file.write($0) }
    }

    package init(
        _ format: Format, file: LogFile?, now: @escaping @Sendable () -> Double,
        maxWaitingByteCount: Int = LineQueue.defaultMaxByteCount,
        _ receive: @escaping @Sendable ([UInt8]) -> Void
    ) {
        self.format = format
        self.file = file
        self.now = now
        queue = LineQueue(maxByteCount: maxWaitingByteCount, write: receive) { count, lines in
            AccessLogLine.appendDropped(count, format, to: &lines)
        }
    }

    /// How many lines found no room since the beginning.
    public var droppedLineCount: Int { queue.droppedLineCount }

    /// Opens the file anew, for whoever has moved the old one away.
    ///
    /// Does nothing where there is no file. Does not wait: lines that were gathered before may go into the new file.
    ///
    /// - Throws: ``LogFileError`` if it can't be opened; the old one is written on then.
    public func reopen() throws(LogFileError) {
        try file?.reopen()
    }

    /// Waits until what was gathered is written, at most two seconds.
    public func flush() async {
        await queue.flush(atMost: .seconds(2))
    }

    package func add(_ line: borrowing AccessLogLine) {
        let time = now()
        queue.add { line.append(format, at: time, to: &$0) }
    }
}
