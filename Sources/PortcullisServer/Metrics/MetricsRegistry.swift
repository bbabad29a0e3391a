// SPDX-License-Identifier: MIT

public import Portcullis
internal import Synchronization

/// Counts what a server does, for a monitoring system that reads OpenMetrics text.
///
/// Each event loop counts for itself; the counts are added up when somebody asks. Series are made by routes, methods of the standards,
/// statuses and other closed lists, never by what clients send. Give it to one server, and ask it from another that listens where only
/// operators reach it.
public final class MetricsRegistry: ServerMetrics {
    private let loops = Mutex<[LoopCounters]>([])
    private let events = Mutex<[String: UInt64]>([:])

    /// Makes a registry that has counted nothing.
    public init() {}

    /// Makes the counters of one event loop.
    public func makeRecorder(loop: Int) -> any ServerMetricsRecorder {
        let counters = LoopCounters()
        loops.withLock { $0.append(counters) }
        return counters
    }

    /// Counts an event of a resource, by its kind.
    ///
    /// To be called from a resource's `onEvent`. Does not wait.
    public func count(_ event: ResourceEvent) {
        events.withLock { $0[event.kind, default: 0] += 1 }
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
        return writer.finished()
    }
}
