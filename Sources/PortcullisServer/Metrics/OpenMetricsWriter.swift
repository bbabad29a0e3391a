// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisTransport

/// Writes counts as OpenMetrics text 1.0.
struct OpenMetricsWriter {
    private typealias Labels = [(name: String, value: String)]

    private var text = ""

    consuming func finished() -> String { text + "# EOF\n" }

    mutating func write(_ counts: ServerCounts) {
        writeRequests(counts)
        writeLatencies(counts.latencies)
        counter("request_bytes", "bytes", "Bytes of requests received.", counts.receivedByteCount)
        counter("response_bytes", "bytes", "Bytes of responses produced.", counts.sentByteCount)
        family("refusals", "counter", "Requests that the gate refused, and malformed ones, by reason.")
        let refusals =
            counts.refusals.map { ($0.key.rawValue, $0.value) }
            + counts.malformations.map { ($0.key.code, $0.value) }
        for (reason, count) in refusals.sorted(by: { $0.0 < $1.0 }) {
            sample("refusals_total", [("reason", reason)], "\(count)")
        }
        writeConnections(counts)
        family("handler_holds", "counter", "Times that a handler held its event loop for more than 100 ms.")
        for (route, count) in counts.holds.sorted(by: { $0.key < $1.key }) {
            sample("handler_holds_total", [("route", route)], "\(count)")
        }
        family("loop_lag_seconds", "gauge", "Delay before an event loop ran a closure.", unit: "seconds")
        for (loop, lag) in counts.lags.enumerated() {
            sample("loop_lag_seconds", [("loop", "\(loop)")], Self.seconds(lag.wholeNanoseconds))
        }
    }

    private mutating func writeRequests(_ counts: ServerCounts) {
        family("requests", "counter", "Requests by route, method and status; status 0: no response.")
        let sorted = counts.requests.sorted {
            ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status)
        }
        for (series, count) in sorted {
            sample(
                "requests_total",
                [("route", series.route), ("method", series.method), ("status", "\(series.status)")],
                "\(count)")
        }
        counter("requests_cut", nil, "Requests without a complete response.", counts.incompleteCount)
    }

    private mutating func writeLatencies(_ latencies: [String: Histogram]) {
        let name = "request_duration_seconds"
        family(name, "histogram", "Time from the head of a request to its response.", unit: "seconds")
        for (route, histogram) in latencies.sorted(by: { $0.key < $1.key }) {
            var below: UInt64 = 0
            for (bound, count) in zip(Histogram.bounds, histogram.buckets) {
                below += count
                sample(
                    name + "_bucket", [("route", route), ("le", Self.seconds(bound * 1000))], "\(below)")
            }
            sample(name + "_bucket", [("route", route), ("le", "+Inf")], "\(histogram.count)")
            sample(name + "_count", [("route", route)], "\(histogram.count)")
            sample(name + "_sum", [("route", route)], Self.seconds(histogram.sumNanoseconds))
        }
    }

    mutating func writeEvents(_ counts: [String: UInt64]) {
        guard !counts.isEmpty else { return }
        family("resource_events", "counter", "Events of resources and their issuers, by kind.")
        for (kind, count) in counts.sorted(by: { $0.key < $1.key }) {
            sample("resource_events_total", [("kind", kind)], "\(count)")
        }
    }

    mutating func writeDroppedLines(_ count: Int) {
        counter(
            "access_log_lines_dropped", nil, "Lost lines of the access log.",
            UInt64(clamping: count))
    }

    mutating func writeGauge(_ name: String, _ help: String, _ value: Double) {
        family(name, "gauge", help)
        // Writes whole numbers without a fraction, like counters.
        sample(name, [], Int(exactly: value).map { "\($0)" } ?? "\(value)")
    }

    private mutating func writeConnections(_ counts: ServerCounts) {
        family("connections", "gauge", "Open connections.")
        let open = counts.openedCount >= counts.closedCount ? counts.openedCount - counts.closedCount : 0
        sample("connections", [], "\(open)")
        counter("connections_opened", nil, "Accepted connections.", counts.openedCount)
        counter("connections_shed", nil, "Connections refused under overload.", counts.shedCount)
        family("timeouts", "counter", "Timeouts by kind.")
        for kind in TimeoutKind.allCases {
            sample("timeouts_total", [("kind", kind.rawValue)], "\(counts.timeouts[kind] ?? 0)")
        }
        family("tls_handshakes", "counter", "TLS handshakes by outcome.")
        for outcome in HandshakeOutcome.allCases {
            let count = counts.handshakes[outcome] ?? 0
            sample("tls_handshakes_total", [("outcome", outcome.rawValue)], "\(count)")
        }
    }

    private mutating func family(_ name: String, _ type: String, _ help: String, unit: String? = nil) {
        text += "# TYPE portcullis_\(name) \(type)\n"
        if let unit { text += "# UNIT portcullis_\(name) \(unit)\n" }
        text += "# HELP portcullis_\(name) \(help)\n"
    }

    private mutating func counter(_ name: String, _ unit: String?, _ help: String, _ value: UInt64) {
        family(name, "counter", help, unit: unit)
        sample(name + "_total", [], "\(value)")
    }

    private mutating func sample(_ name: String, _ labels: Labels, _ value: String) {
        text += "portcullis_\(name)"
        if !labels.isEmpty {
            text +=
                "{" + labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",") + "}"
        }
        text += " \(value)\n"
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func seconds(_ nanoseconds: UInt64) -> String {
        "\(Double(nanoseconds) / 1e9)"
    }
}
