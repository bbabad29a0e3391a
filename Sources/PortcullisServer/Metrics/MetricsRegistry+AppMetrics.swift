// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import Synchronization

/// An app's own metrics, in the same text as the server's.
///
///     let created = registry.counter("notes_created", help: "Notes created.", labels: ["kind"])
///     created.increment("draft")
///
/// A name and its labels are lower-case ASCII letters, digits and underscores, as Prometheus wants them; names
/// that begin with `portcullis_` or `http_` are the server's. Mistakes in a declaration end the program with a
/// sentence: the name is taken by another kind of metric, or has other labels or bounds. The same declaration twice
/// returns the same metric. OpenMetrics 1.0.
extension MetricsRegistry {
    /// The most samples of one metric, each with its own values of labels.
    ///
    /// Beyond it new values count in one sample with the value `_other` for each label: values from clients do
    /// not make memory grow.
    public static let maxSeriesCount = 1000
    /// The value of labels beyond ``maxSeriesCount``.
    static let otherLabelValue = "_other"

    /// A number that only grows.
    public final class Counter: Sendable, WrittenFamily {
        let family: MetricFamily<UInt64>

        init(_ family: MetricFamily<UInt64>) {
            self.family = family
        }

        /// Adds to the count, which wraps around after 2^64.
        ///
        /// Takes a short lock, and does not wait.
        ///
        /// - Parameters:
        ///   - labels: One value for each label, in the order of the declaration.
        ///   - amount: What to add. Default: 1.
        ///   - file: The file that a wrong number of labels is reported in. Default: the caller's.
        ///   - line: The line that a wrong number of labels is reported in. Default: the caller's.
        public func increment(
            _ labels: String..., by amount: UInt64 = 1, file: StaticString = #fileID, line: UInt = #line
        ) {
            family.update(labels, file: file, line: line) { $0 &+= amount }
        }

        func write(to text: inout MetricsText) {
            text.family(family.name, .counter, family.help)
            for (labels, value) in family.sorted { text.sample("_total", labels, "\(value)") }
        }
    }

    /// A number that grows and shrinks.
    public final class Gauge: Sendable, WrittenFamily {
        let family: MetricFamily<Double>

        init(_ family: MetricFamily<Double>) {
            self.family = family
        }

        /// Replaces the value.
        ///
        /// Takes a short lock, and does not wait.
        ///
        /// - Parameters:
        ///   - value: The value.
        ///   - labels: One value for each label, in the order of the declaration.
        ///   - file: The file that a wrong number of labels is reported in. Default: the caller's.
        ///   - line: The line that a wrong number of labels is reported in. Default: the caller's.
        public func set(
            _ value: Double, _ labels: String..., file: StaticString = #fileID, line: UInt = #line
        ) {
            family.update(labels, file: file, line: line) { $0 = value }
        }

        /// Adds to the value; a negative amount shrinks it.
        ///
        /// Takes a short lock, and does not wait.
        ///
        /// - Parameters:
        ///   - amount: What to add.
        ///   - labels: One value for each label, in the order of the declaration.
        ///   - file: The file that a wrong number of labels is reported in. Default: the caller's.
        ///   - line: The line that a wrong number of labels is reported in. Default: the caller's.
        public func add(
            _ amount: Double, _ labels: String..., file: StaticString = #fileID, line: UInt = #line
        ) {
            family.update(labels, file: file, line: line) { $0 += amount }
        }

        func write(to text: inout MetricsText) {
            text.family(family.name, .gauge, family.help)
            for (labels, value) in family.sorted { text.sample("", labels, MetricsText.number(value)) }
        }
    }

    /// Counts of values by upper bounds, with their sum.
    public final class Histogram: Sendable, WrittenFamily {
        /// The bounds of OpenTelemetry's conventions for durations, in seconds, from 5 ms to 10 s.
        public static let secondsBounds = [
            0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
        ]

        let family: MetricFamily<ValueHistogram>

        init(_ family: MetricFamily<ValueHistogram>) {
            self.family = family
        }

        /// Counts a value.
        ///
        /// Takes a short lock, and does not wait.
        ///
        /// - Parameters:
        ///   - value: The value; NaN is left out.
        ///   - labels: One value for each label, in the order of the declaration.
        ///   - file: The file that a wrong number of labels is reported in. Default: the caller's.
        ///   - line: The line that a wrong number of labels is reported in. Default: the caller's.
        public func observe(
            _ value: Double, _ labels: String..., file: StaticString = #fileID, line: UInt = #line
        ) {
            guard !value.isNaN else { return }
            family.update(labels, file: file, line: line) { $0.add(value) }
        }

        /// Counts a duration in seconds.
        ///
        /// Takes a short lock, and does not wait.
        ///
        /// - Parameters:
        ///   - duration: The duration.
        ///   - labels: One value for each label, in the order of the declaration.
        ///   - file: The file that a wrong number of labels is reported in. Default: the caller's.
        ///   - line: The line that a wrong number of labels is reported in. Default: the caller's.
        public func observe(
            _ duration: Duration, _ labels: String..., file: StaticString = #fileID, line: UInt = #line
        ) {
            let (seconds, attoseconds) = duration.components
            let value = Double(seconds) + Double(attoseconds) / 1e18
            family.update(labels, file: file, line: line) { $0.add(value) }
        }

        func write(to text: inout MetricsText) {
            text.family(family.name, .histogram, family.help)
            for (labels, value) in family.sorted { text.histogram(value, labels) }
        }
    }

    /// Declares a counter.
    ///
    /// - Parameters:
    ///   - name: The name without `_total`, which the text adds.
    ///   - help: One sentence for the operator.
    ///   - labels: The names of the labels. Default: none.
    ///   - file: The file that a mistake is reported in. Default: the caller's.
    ///   - line: The line that a mistake is reported in. Default: the caller's.
    public func counter(
        _ name: String, help: String, labels: [String] = [], file: StaticString = #fileID,
        line: UInt = #line
    ) -> Counter {
        declared(name, labels, file, line, isSame: { $0.family.labels == labels }) {
            Counter(MetricFamily(name, help, labels: labels, initial: 0))
        }
    }

    /// Declares a gauge.
    ///
    /// - Parameters:
    ///   - name: The name, with the unit at its end if it has one.
    ///   - help: One sentence for the operator.
    ///   - labels: The names of the labels. Default: none.
    ///   - file: The file that a mistake is reported in. Default: the caller's.
    ///   - line: The line that a mistake is reported in. Default: the caller's.
    public func gauge(
        _ name: String, help: String, labels: [String] = [], file: StaticString = #fileID,
        line: UInt = #line
    ) -> Gauge {
        declared(name, labels, file, line, isSame: { $0.family.labels == labels }) {
            Gauge(MetricFamily(name, help, labels: labels, initial: 0))
        }
    }

    /// Declares a histogram.
    ///
    /// - Parameters:
    ///   - name: The name, with the unit at its end, such as `import_seconds`.
    ///   - help: One sentence for the operator.
    ///   - labels: The names of the labels. Default: none.
    ///   - bounds: The upper bounds of the buckets, ascending; 1 to 64 of them. The last bucket, without a
    ///     bound, is added. Default: ``Histogram/secondsBounds``.
    ///   - file: The file that a mistake is reported in. Default: the caller's.
    ///   - line: The line that a mistake is reported in. Default: the caller's.
    public func histogram(
        _ name: String, help: String, labels: [String] = [], bounds: [Double] = Histogram.secondsBounds,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Histogram {
        endUnless(
            (1...64).contains(bounds.count) && bounds.allSatisfy(\.isFinite)
                && zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 },
            "The bounds of the histogram \(name) must be 1 to 64 ascending numbers.", file: file, line: line)
        return declared(
            name, labels, file, line,
            isSame: { $0.family.labels == labels && $0.family.initial.bounds == bounds }
        ) {
            Histogram(MetricFamily(name, help, labels: labels, initial: ValueHistogram(bounds: bounds)))
        }
    }

    /// The metric with a name, made if there is none.
    private func declared<Metric: WrittenFamily>(
        _ name: String, _ labels: [String], _ file: StaticString, _ line: UInt,
        isSame: (Metric) -> Bool, make: () -> Metric
    ) -> Metric {
        let reserved = ["portcullis_", "http_"].first { name.hasPrefix($0) }
        endUnless(
            reserved == nil,
            "The name \(name) begins with \(reserved ?? ""), as the server's own metrics do.",
            file: file, line: line)
        endUnless(
            Self.isMetricName(name) && !name.hasSuffix("_total"),
            "\(String(reflecting: name)) is not a metric name: use lower-case letters, digits and underscores, "
                + "begin with a letter, and leave out _total.",
            file: file, line: line)
        endUnless(
            labels.allSatisfy { Self.isMetricName($0) && $0 != "le" } && Set(labels).count == labels.count,
            "The labels of the metric \(name) must be different names, without le: use lower-case letters, "
                + "digits and underscores, and begin with a letter.",
            file: file, line: line)
        let metric = families.withLock { families in
            let family = families[name] ?? make()
            families[name] = family
            return family
        }
        guard let metric = metric as? Metric, isSame(metric) else {
            endForMistake(
                "The metric \(name) is declared already, as another kind, or with other labels or bounds.",
                file: file,
                line: line)
        }
        return metric
    }

    private static func isMetricName(_ name: String) -> Bool {
        guard let first = name.utf8.first, (0x61...0x7A).contains(first) else { return false }
        return name.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
        }
    }
}
