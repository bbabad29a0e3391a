// SPDX-License-Identifier: MIT

public import Portcullis
package import PortcullisHTTP
internal import Synchronization

/// Counts what a server does, for a monitoring system that reads OpenMetrics or Prometheus text.
///
/// Each event loop counts separately; ``text(_:)`` adds the counts up. The names and labels of requests follow
/// OpenTelemetry's conventions for HTTP servers; those of the gate begin with `portcullis_`. The labels are
/// routes, standard methods, statuses, the configured resources and issuers, and other closed lists, never
/// client input. Give it to one server, and serve its text from another that only operators can reach.
public final class MetricsRegistry: ServerMetrics {
    private let loops = Mutex<[LoopCounters]>([])
    private let gauges = Mutex<[String: ReadGauge]>([:])
    /// The app's own metrics, by their names.
    let families = Mutex<[String: any WrittenFamily]>([:])
    private let events = Mutex<[String: UInt64]>([:])
    private let accessLog = Mutex<AccessLog?>(nil)

    private let measure = Mutex<(@Sendable () -> ServerMeasurements?)?>(nil)
    private let keepsOldNames = Atomic(false)

    /// The names of the families about requests.
    public enum Names: String, Sendable, Hashable, CaseIterable {
        /// Those of OpenTelemetry's conventions.
        case new
        /// Also those of version 0.1: `portcullis_requests_total` and `portcullis_request_duration_seconds`.
        case both
    }

    /// A text format.
    public enum Format: Sendable, Hashable {
        /// OpenMetrics 1.0.
        case openMetrics
        /// The text format 0.0.4 of Prometheus.
        case text

        /// Its media type.
        public var contentType: String {
            switch self {
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            case .text: "text/plain; version=0.0.4; charset=utf-8"
            }
        }
    }

    /// The names of the families about requests.
    ///
    /// Set it before the server runs. Default: the new ones.
    public var names: Names {
        get { keepsOldNames.load(ordering: .relaxed) ? .both : .new }
        set { keepsOldNames.store(newValue == .both, ordering: .relaxed) }
    }

    private struct ReadGauge {
        let help: String
        let read: @Sendable () -> Double
    }

    /// Makes a registry with all counts at zero.
    public init() {}

    /// Makes the counters of one event loop.
    public func makeRecorder(loop: Int) -> any ServerMetricsRecorder {
        let counters = LoopCounters(keepsOldNames: names == .both)
        loops.withLock { $0.append(counters) }
        return counters
    }

    /// Counts an event of a resource, by its kind.
    ///
    /// Call it from a resource's `onEvent`. Does not wait.
    public func count(_ event: ResourceEvent) {
        events.withLock { $0[event.kind, default: 0] += 1 }
    }

    /// Adds a gauge that is read when the text is made, or replaces the one of the same name.
    ///
    /// The registry adds the prefix `portcullis_` to the name, which must differ from its own names. Traps on
    /// a name that is not lower-case ASCII letters and underscores. ``text(_:)`` calls the closure,
    /// which must not wait.
    public func addGauge(
        _ name: String, help: String, file: StaticString = #fileID, line: UInt = #line,
        _ read: @escaping @Sendable () -> Double
    ) {
        endUnless(
            !name.isEmpty && name.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F },
            "\(String(reflecting: name)) is not a gauge name: use lower-case letters and underscores.",
            file: file, line: line)
        gauges.withLock { $0[name] = ReadGauge(help: help, read: read) }
    }

    /// Counts the lines that an access log has lost; replaces an earlier log.
    public func watch(_ accessLog: AccessLog) {
        self.accessLog.withLock { $0 = accessLog }
    }

    /// Starts reporting the tables and issuers of a server; replaces an earlier one.
    func watch(_ measure: @escaping @Sendable () -> ServerMeasurements?) {
        self.measure.withLock { $0 = measure }
    }

    /// All counts so far, in the OpenMetrics text format 1.0.
    public var openMetricsText: String { text(.openMetrics) }

    /// All counts so far.
    ///
    /// Takes short locks, and does not wait.
    public func text(_ format: Format) -> String {
        var sum = ServerCounts()
        sum.keepsOldNames = names == .both
        for counters in loops.withLock({ $0 }) { sum.merge(counters.snapshot) }
        var text = MetricsText(format)
        text.write(sum)
        text.writeEvents(events.withLock { $0 })
        if let measured = measure.withLock({ $0 })?() { text.write(measured) }
        if let log = accessLog.withLock({ $0 }) {
            text.counter(
                "portcullis_access_log_lines_dropped", "Lost lines of the access log.",
                UInt64(clamping: log.droppedLineCount))
        }
        for (name, gauge) in gauges.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            text.gauge("portcullis_" + name, gauge.help, gauge.read())
        }
        for (_, family) in families.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            family.write(to: &text)
        }
        return text.finished()
    }

    /// The format that a request asks for: Prometheus text if `Accept` prefers it, otherwise OpenMetrics.
    ///
    /// OpenMetrics 1.0, "Protocol Negotiation"; RFC 9110 §12.5.1.
    package static func format(for head: RequestHead) -> Format {
        let openMetrics = AcceptedType.weight("application", "openmetrics-text", in: head)
        let text = AcceptedType.weight("text", "plain", in: head)
        return text > openMetrics ? .text : .openMetrics
    }
}
