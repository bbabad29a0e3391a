// SPDX-License-Identifier: MIT

internal import Portcullis
package import PortcullisHTTP
internal import PortcullisTransport

/// The contents of one line of the access log.
package struct AccessLogLine {
    /// The longest path written in full.
    static let maxPathByteCount = 1024
    private static let maxMethodByteCount = 32
    /// The longest address written in full: a proxy may send any name for its client.
    static let maxClientByteCount = 256

    package var summary: RequestSummary
    /// The client's address according to trusted proxies; empty if unknown.
    package var client: String
    /// The path without the query, empty if the target has none; `nil` for a message with a malformed first
    /// line.
    package var path: ArraySlice<UInt8>?
    package var version: HTTPVersion
    package var id: String?
    /// The identifier of the resource that the request belongs to.
    package var resource: String?
    /// The path where a proxy asked about the request; `nil` for a direct request.
    package var forwardAuth: String?
    /// The trace that the request belongs to; `nil` for a message with a malformed first line.
    package var trace: TraceContext?

    package init(
        _ summary: RequestSummary, client: String, path: ArraySlice<UInt8>?, version: HTTPVersion = .http1_1,
        id: String? = nil, resource: String? = nil
    ) {
        self.summary = summary
        self.client =
            client.utf8.count > Self.maxClientByteCount
            ? String(decoding: client.utf8.prefix(Self.maxClientByteCount), as: UTF8.self) : client
        self.path = path
        self.version = version
        self.id = id
        self.resource = resource
    }

    package func append(_ format: AccessLog.Format, at time: Double, to line: inout [UInt8]) {
        switch format {
        case .text: appendText(time, &line)
        case .json: appendJSON(time, &line)
        }
    }

    /// Appends the line that reports dropped lines.
    static func appendDropped(_ count: Int, _ format: AccessLog.Format, to line: inout [UInt8]) {
        switch format {
        case .text: line += "# \(count) lines were dropped\n".utf8
        case .json: line += "{\"dropped\":\(count)}\n".utf8
        }
    }

    // MARK: Text

    private func appendText(_ time: Double, _ line: inout [UInt8]) {
        Self.append(client.isEmpty ? "-" : client, to: &line)
        line += " - - [".utf8
        LogDate.appendCommonLog(time, to: &line)
        line += "] \"".utf8
        if let path {
            Self.append(summary.method.name.utf8.prefix(Self.maxMethodByteCount), to: &line)
            line.append(0x20)
            Self.append(path.isEmpty ? [0x2D] : path.prefix(Self.maxPathByteCount), to: &line)
            line += (version == .http1_1 ? " HTTP/1.1" : " HTTP/1.0").utf8
        } else {
            line.append(0x2D)
        }
        line += "\" ".utf8
        if let status = summary.status { line.append(decimal: status.code) } else { line.append(0x2D) }
        line.append(0x20)
        line.append(decimal: summary.sentByteCount)
        line += " duration=".utf8
        appendDuration(&line)
        appendPair("id", id, &line)
        appendPair("trace_id", trace?.traceID, &line)
        appendPair("linked_trace_id", trace?.linkedTraceID, &line)
        appendPair("route", summary.route, &line)
        appendPair("resource", resource, &line)
        appendPair("forward_auth", forwardAuth, &line)
        appendPair("refusal", summary.refusalCode, &line)
        appendQuotedPair("expected", summary.finding?.expected, &line)
        appendQuotedPair("got", summary.finding?.got, &line)
        if !summary.isComplete { line += " incomplete".utf8 }
        line.append(0x0A)
    }

    private func appendPair(_ name: StaticString, _ value: String?, _ line: inout [UInt8]) {
        guard let value else { return }
        line.append(0x20)
        line.append(name)
        line.append(0x3D)
        // A space would end the value for a reader of pairs.
        Self.append(value.utf8.lazy.map { $0 == 0x20 ? 0x5F : $0 }, to: &line)
    }

    private func appendQuotedPair(_ name: StaticString, _ value: String?, _ line: inout [UInt8]) {
        guard let value else { return }
        line.append(0x20)
        line.append(name)
        line.append(0x3D)
        Self.appendQuoted(value.utf8, &line)
    }

    // MARK: JSON

    private func appendJSON(_ time: Double, _ line: inout [UInt8]) {
        line += "{\"time\":\"".utf8
        LogDate.appendInternet(time, to: &line)
        line.append(0x22)
        appendMember("remote_address", client.isEmpty ? nil : client, &line)
        line += ",\"method\":".utf8
        if path == nil {
            line += "null".utf8
        } else {
            Self.appendQuoted(summary.method.name.utf8.prefix(Self.maxMethodByteCount), &line)
        }
        line += ",\"path\":".utf8
        if let path, !path.isEmpty {
            Self.appendQuoted(path.prefix(Self.maxPathByteCount), &line)
        } else {
            line += "null".utf8
        }
        line += ",\"status\":".utf8
        if let status = summary.status { line.append(decimal: status.code) } else { line += "null".utf8 }
        line += ",\"bytes\":".utf8
        line.append(decimal: summary.sentByteCount)
        line += ",\"bytes_received\":".utf8
        line.append(decimal: summary.receivedByteCount)
        line += ",\"duration_seconds\":".utf8
        appendDuration(&line)
        appendMember("request_id", id, &line)
        if let trace {
            appendMember("trace_id", trace.traceID, &line)
            if let linked = trace.linkedTraceID { appendMember("linked_trace_id", linked, &line) }
        }
        appendMember("route", summary.route, &line)
        appendMember("resource", resource, &line)
        if let forwardAuth { appendMember("forward_auth", forwardAuth, &line) }
        appendMember("refusal", summary.refusalCode, &line)
        if let finding = summary.finding {
            appendMember("expected", finding.expected, &line)
            appendMember("got", finding.got, &line)
        }
        line += (summary.isComplete ? ",\"complete\":true}\n" : ",\"complete\":false}\n").utf8
    }

    private func appendMember(_ name: StaticString, _ value: String?, _ line: inout [UInt8]) {
        line += ",\"".utf8
        line.append(name)
        line += "\":".utf8
        if let value { Self.appendQuoted(value.utf8, &line) } else { line += "null".utf8 }
    }

    // MARK: Parts

    /// Seconds with six decimals.
    private func appendDuration(_ line: inout [UInt8]) {
        let microseconds = Int(clamping: summary.duration.wholeNanoseconds / 1000)
        line.append(decimal: microseconds / 1_000_000)
        line.append(0x2E)
        let fraction = microseconds % 1_000_000
        var unit = 100_000
        while unit > 1, fraction < unit {
            line.append(0x30)
            unit /= 10
        }
        line.append(decimal: fraction)
    }

    private static func appendQuoted(_ bytes: some Sequence<UInt8>, _ line: inout [UInt8]) {
        line.append(0x22)
        append(bytes, to: &line)
        line.append(0x22)
    }

    private static func append(_ text: String, to line: inout [UInt8]) {
        append(text.utf8, to: &line)
    }

    /// Writes printable ASCII without quotes and backslashes as it is, and `?` for every other byte.
    private static func append(_ bytes: some Sequence<UInt8>, to line: inout [UInt8]) {
        for byte in bytes {
            line.append((0x20...0x7E).contains(byte) && byte != 0x22 && byte != 0x5C ? byte : 0x3F)
        }
    }
}
