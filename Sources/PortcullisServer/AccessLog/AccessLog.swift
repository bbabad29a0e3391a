// SPDX-License-Identifier: MIT

internal import PortcullisTransport

/// A log with one line for each request.
///
/// A line has the time of the response, the client's address, method, path without the query, status, bytes,
/// duration, request ID, trace ID, route, resource, and the reason of a refusal with what the gate expected and what
/// the request had, claims of its token included. It never contains tokens, proofs or query values.
///
/// The log's own thread writes the lines, so that a slow disk or reader delays no request. At most 1 MiB
/// waits; lines beyond that are dropped, and so are lines that can't be written, as on a full disk. The log
/// counts dropped lines, reports them on standard error at most once a minute, and writes a line with their
/// number as soon as it can write again. A request without a response has no status.
public final class AccessLog: Sendable {
    /// The format of a line.
    public enum Format: String, Sendable, Hashable, CaseIterable {
        /// The Common Log Format, followed by `name=value` pairs.
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
        AccessLog(format, writingTo: LogFile(descriptor: 2))
    }

    /// Makes a log that appends to a file, and creates the file if it does not exist.
    ///
    /// - Throws: ``LogFileError`` if the file can't be opened.
    public static func file(_ path: String, _ format: Format) throws(LogFileError) -> AccessLog {
        AccessLog(format, writingTo: try LogFile(path: path))
    }

    /// Makes a log that passes whole lines to a closure, several at a time, on a thread that may block.
    public static func lines(
        _ format: Format, to receive: @escaping @Sendable (_ lines: [UInt8]) -> Void
    ) -> AccessLog {
        AccessLog(format, file: nil, now: TimeOfDay.secondsSince1970) { lines in
            receive(lines)
            return nil
        }
    }

    package convenience init(
        _ format: Format, writingTo file: LogFile,
        log: @escaping @Sendable (String) -> Void = Server.logToStandardError
    ) {
        self.init(format, file: file, now: TimeOfDay.secondsSince1970, log: log) { file.write($0) }
    }

    package init(
        _ format: Format, file: LogFile?, now: @escaping @Sendable () -> Double,
        maxWaitingByteCount: Int = LineQueue.defaultMaxByteCount,
        log: @escaping @Sendable (String) -> Void = Server.logToStandardError,
        _ receive: @escaping @Sendable ([UInt8]) -> LogFile.Loss?
    ) {
        self.format = format
        self.file = file
        self.now = now
        queue = LineQueue(
            maxByteCount: maxWaitingByteCount, write: receive,
            appendDropped: { count, lines in AccessLogLine.appendDropped(count, format, to: &lines) },
            reportLoss: { log(Self.sentence($0, $1)) })
    }

    private static func sentence(_ count: Int, _ reason: LineQueue.LossReason) -> String {
        let lines = count == 1 ? "1 line" : "\(count) lines"
        return switch reason {
        case .queueFull: "the access log lost \(lines): they came faster than they could be written"
        case .unwritable(let error): "the access log lost \(lines), which could not be written: \(error)"
        }
    }

    /// The number of lines dropped so far, for lack of room or because they could not be written.
    public var droppedLineCount: Int { queue.droppedLineCount }

    /// Opens the file again, after log rotation has moved it.
    ///
    /// Does nothing if the log has no file. Does not wait: lines gathered before may go into the new file.
    ///
    /// - Throws: ``LogFileError`` if it can't be opened; the log then continues with the old file.
    public func reopen() throws(LogFileError) {
        try file?.reopen()
    }

    /// Waits until the gathered lines are written, at most two seconds.
    public func flush() async {
        await queue.flush(atMost: .seconds(2))
    }

    package func add(_ line: borrowing AccessLogLine) {
        let time = now()
        queue.add { line.append(format, at: time, to: &$0) }
    }
}
