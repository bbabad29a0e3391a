// SPDX-License-Identifier: MIT

internal import PortcullisTransport

/// One line for each request: who asked for what, and what came of it.
///
/// A line has the time of the answer, the client's address, method, path without the query, status, bytes, duration, the request's
/// identifier, its route, the resource that it belongs to, and why the gate refused it: with what it expected, and what the request had,
/// claims of its token among it. Tokens, proofs and query values are in none.
///
/// Lines are gathered and written by a thread of the log's own, so that a slow disk or reader delays no request. At most 1 MiB waits;
/// what comes while it is full is dropped, and so is what can't be written, as on a full disk. Such a loss is counted, said on standard
/// error at most once a minute, and a line says how many were dropped as soon as lines can be written again. A request without an
/// answer has no status.
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
        AccessLog(format, writingTo: LogFile(descriptor: 2))
    }

    /// Makes a log that is added to the end of a file, which is made if it is not there.
    ///
    /// - Throws: ``LogFileError`` if the file can't be opened.
    public static func file(_ path: String, _ format: Format) throws(LogFileError) -> AccessLog {
        AccessLog(format, writingTo: try LogFile(path: path))
    }

    /// Makes a log that hands over whole lines, several at a time, from a thread that may be held.
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
        case .queueFull: "the access log lost \(lines), which came faster than they could be written"
        case .unwritable(let error): "the access log lost \(lines), which could not be written: \(error)"
        }
    }

    /// How many lines found no room, or could not be written, since the beginning.
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
