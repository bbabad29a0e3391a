// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP
internal import PortcullisTransport

extension MetricsText {
    mutating func write(_ counts: ServerCounts) {
        writeRequests(counts)
        if counts.keepsOldNames { writeOldNames(counts) }
        counter("portcullis_requests_cut", "Requests without a complete response.", counts.incompleteCount)
        counter(
            "portcullis_request_bytes", "Bytes of requests received.", unit: "bytes", counts.receivedByteCount
        )
        counter(
            "portcullis_response_bytes", "Bytes of responses produced.", unit: "bytes", counts.sentByteCount)
        family(
            "portcullis_refusals", .counter, "Requests that the gate refused, and malformed ones, by reason.")
        let refusals =
            counts.refusals.map { ($0.key.rawValue, $0.value) }
            + counts.malformations.map { ($0.key.code, $0.value) }
        for (reason, count) in refusals.sorted(by: { $0.0 < $1.0 }) {
            sample("_total", [("reason", reason)], "\(count)")
        }
        writeConnections(counts)
        family(
            "portcullis_handler_holds", .counter,
            "Times that a handler held its event loop for more than 100 ms.")
        for (route, count) in counts.holds.sorted(by: { $0.key < $1.key }) {
            sample("_total", [("route", route)], "\(count)")
        }
        family(
            "portcullis_loop_lag_seconds", .gauge, "Delay before an event loop ran a closure.",
            unit: "seconds")
        for (loop, lag) in counts.lags.enumerated() {
            sample("", [("loop", "\(loop)")], Self.seconds(lag.wholeNanoseconds))
        }
    }

    /// OpenTelemetry semantic conventions: `http.server.request.duration`.
    private mutating func writeRequests(_ counts: ServerCounts) {
        family(
            "http_server_request_duration_seconds", .histogram,
            "Time from the head of a request to its response.", unit: "seconds")
        // What has no route has a fixed word, which is no template; all of it is one series.
        var durations: [ServerCounts.Series: DurationHistogram] = [:]
        for (series, histogram) in counts.durations {
            durations[series.withTemplateOnly, default: .init()].add(histogram)
        }
        for (series, histogram) in durations.sorted(by: { $0.key < $1.key }) {
            self.histogram(histogram, series.labels)
        }
    }

    /// The families of version 0.1 that have other names now.
    private mutating func writeOldNames(_ counts: ServerCounts) {
        var requests: [OldSeries: UInt64] = [:]
        for (series, histogram) in counts.durations {
            requests[OldSeries(series), default: 0] += histogram.count
        }
        family(
            "portcullis_requests", .counter, "Requests by route, method and status; status 0: no response.")
        for (series, count) in requests.sorted(by: { $0.key < $1.key }) {
            sample("_total", series.labels, "\(count)")
        }
        family(
            "portcullis_request_duration_seconds", .histogram,
            "Time from the head of a request to its response.", unit: "seconds")
        for (route, histogram) in counts.oldDurations.sorted(by: { $0.key < $1.key }) {
            self.histogram(histogram, [("route", route)])
        }
    }

    mutating func writeEvents(_ counts: [String: UInt64]) {
        family("portcullis_resource_events", .counter, "Events of resources and their issuers, by kind.")
        for (kind, count) in counts.sorted(by: { $0.key < $1.key }) {
            sample("_total", [("kind", kind)], "\(count)")
        }
    }

    mutating func write(_ measured: ServerMeasurements) {
        let measurements = measured.resources
        family(
            "portcullis_key_set_age_seconds", .gauge, "Time since the keys of an issuer were fetched.",
            unit: "seconds")
        for (issuer, age) in measurements.keyAges.sorted(by: { $0.key < $1.key }) {
            sample("", [("issuer", issuer)], Self.seconds(age.wholeNanoseconds))
        }
        let calls = measurements.calls.sorted {
            ($0.key.issuer, $0.key.series.kind.rawValue, $0.key.series.outcome.rawValue)
                < ($1.key.issuer, $1.key.series.kind.rawValue, $1.key.series.outcome.rawValue)
        }
        family(
            "portcullis_authorization_server_call_duration_seconds", .histogram,
            "Duration of calls to authorization servers, by kind and outcome.", unit: "seconds")
        for (call, durations) in calls {
            histogram(
                durations,
                [
                    ("issuer", call.issuer), ("kind", call.series.kind.rawValue),
                    ("outcome", call.series.outcome.rawValue),
                ])
        }
        gauge(
            "portcullis_connections_limit", "The most open connections.", Double(measured.maxConnectionCount))
        let waiting = measured.waitingHandlers
        writeTables(
            measurements.fills.map { ($0.key.name, $0.key.owner, $0.value.count, $0.value.capacity) }
                + [("waiting_handlers", "server", waiting.count, waiting.capacity)])
    }

    private mutating func writeTables(_ tables: [(name: String, owner: String, count: Int, capacity: Int)]) {
        let sorted = tables.sorted { ($0.name, $0.owner) < ($1.name, $1.owner) }
        family("portcullis_table_entries", .gauge, "Entries of a bounded table.")
        for table in sorted {
            sample("", [("table", table.name), ("owner", table.owner)], "\(table.count)")
        }
        family("portcullis_table_capacity", .gauge, "The most entries of a bounded table.")
        for table in sorted {
            sample("", [("table", table.name), ("owner", table.owner)], "\(table.capacity)")
        }
    }

    private mutating func writeConnections(_ counts: ServerCounts) {
        let open = counts.openedCount >= counts.closedCount ? counts.openedCount - counts.closedCount : 0
        gauge("portcullis_connections", "Open connections.", Double(open))
        counter("portcullis_connections_opened", "Accepted connections.", counts.openedCount)
        counter("portcullis_connections_shed", "Connections refused under overload.", counts.shedCount)
        family("portcullis_timeouts", .counter, "Timeouts by kind.")
        for kind in TimeoutKind.allCases {
            sample("_total", [("kind", kind.rawValue)], "\(counts.timeouts[kind] ?? 0)")
        }
        family("portcullis_tls_handshakes", .counter, "TLS handshakes by outcome.")
        for outcome in HandshakeOutcome.allCases {
            sample("_total", [("outcome", outcome.rawValue)], "\(counts.handshakes[outcome] ?? 0)")
        }
    }
}

extension ServerCounts.Series: Comparable {
    /// Dots of attributes are underscores of labels; an attribute without a value is left out.
    fileprivate var labels: MetricsText.Labels {
        var labels: MetricsText.Labels = [
            ("http_request_method", method), ("url_scheme", isEncrypted ? "https" : "http"),
        ]
        if status != 0 { labels.append(("http_response_status_code", "\(status)")) }
        if !route.isEmpty { labels.append(("http_route", route)) }
        if let protocolVersion { labels.append(("network_protocol_version", protocolVersion)) }
        if let error { labels.append(("error_type", error.text)) }
        return labels
    }

    /// The same series, with an empty route unless that is the template of a path.
    fileprivate var withTemplateOnly: Self {
        guard !route.hasPrefix("/") else { return self }
        return Self(
            route: "", method: method, status: status, isEncrypted: isEncrypted,
            protocolVersion: protocolVersion, error: error)
    }

    static func < (first: Self, second: Self) -> Bool {
        (first.route, first.method, first.status, first.rank)
            < (second.route, second.method, second.status, second.rank)
    }

    private var rank: String { "\(isEncrypted) \(protocolVersion ?? "") \(error?.text ?? "")" }
}

extension ServerCounts.ErrorType {
    fileprivate var text: String {
        switch self {
        case .status(let code): "\(code)"
        case .timeout: "timeout"
        case .clientDisconnected: "client_disconnected"
        }
    }
}

/// The labels of a request in version 0.1.
private struct OldSeries: Hashable, Comparable {
    let route: String
    let method: String
    let status: Int

    init(_ series: ServerCounts.Series) {
        route = series.route
        method = series.method == ServerCounts.otherMethod ? "other" : series.method
        status = series.status
    }

    var labels: MetricsText.Labels { [("route", route), ("method", method), ("status", "\(status)")] }

    static func < (first: Self, second: Self) -> Bool {
        (first.route, first.method, first.status) < (second.route, second.method, second.status)
    }
}
