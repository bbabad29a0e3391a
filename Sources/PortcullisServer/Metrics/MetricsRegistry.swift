// SPDX-License-Identifier: MIT

public import Portcullis
internal import PortcullisHTTP
internal import Synchronization

/// Counts what a server does, for a monitoring system that reads OpenMetrics text.
///
/// Each event loop counts separately; ``openMetricsText`` adds the counts up. The labels are routes, standard
/// methods, statuses and other closed lists, never client input. Give it to one server, and serve its text
/// from another that only operators can reach.
public final class MetricsRegistry: ServerMetrics {
    private let loops = Mutex<[LoopCounters]>([])
    private let gauges = Mutex<[String: Gauge]>([:])
    private let events = Mutex<[String: UInt64]>([:])
    private let accessLog = Mutex<AccessLog?>(nil)

    private struct Gauge {
        let help: String
        let read: @Sendable () -> Double
    }

    /// Makes a registry with all counts at zero.
    public init() {}

    /// Makes the counters of one event loop.
    public func makeRecorder(loop: Int) -> any ServerMetricsRecorder {
        let counters = LoopCounters()
        loops.withLock { $0.append(counters) }
        return counters
    }

    /// Counts an event of a resource, by its kind.
    ///
    /// Call it from a resource's `onEvent`. Does not wait.
    public func count(_ event: ResourceEvent) {
        events.withLock { $0[event.kind, default: 0] += 1 }
    }

    /// Adds a gauge of the program's own, or replaces the one of the same name.
    ///
    /// The registry adds the prefix `portcullis_` to the name, which must differ from its own names. Traps on
    /// a name that is not lower-case ASCII letters and underscores. ``openMetricsText`` calls the closure,
    /// which must not wait.
    public func addGauge(
        _ name: String, help: String, file: StaticString = #fileID, line: UInt = #line,
        _ read: @escaping @Sendable () -> Double
    ) {
        endUnless(
            !name.isEmpty && name.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F },
            "\(String(reflecting: name)) is not a gauge name: use lower-case letters and underscores.",
            file: file, line: line)
        gauges.withLock { $0[name] = Gauge(help: help, read: read) }
    }

    /// Counts the lines that an access log has lost; replaces an earlier log.
    public func watch(_ accessLog: AccessLog) {
        self.accessLog.withLock { $0 = accessLog }
    }

    /// The media type of ``openMetricsText``.
    public static let contentType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

    /// All counts so far, in the OpenMetrics text format 1.0.
    public var openMetricsText: String {
        var sum = ServerCounts()
        for counters in loops.withLock({ $0 }) { sum.merge(counters.snapshot) }
        var writer = OpenMetricsWriter()
        writer.write(sum)
        writer.writeEvents(events.withLock { $0 })
        if let log = accessLog.withLock({ $0 }) { writer.writeDroppedLines(log.droppedLineCount) }
        for (name, gauge) in gauges.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            writer.writeGauge(name, gauge.help, gauge.read())
        }
        return writer.finished()
    }
}
