// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import Synchronization

/// The samples of one family of an app's own metrics, by the values of its labels.
final class MetricFamily<Value: Sendable>: Sendable {
    let name: String
    let help: String
    let labels: [String]
    /// What a sample begins with.
    let initial: Value
    private let samples = Mutex<[[String]: Value]>([:])

    init(_ name: String, _ help: String, labels: [String], initial: Value) {
        self.name = name
        self.help = help
        self.labels = labels
        self.initial = initial
        // Without labels there is one sample, and it begins with its initial value.
        if labels.isEmpty { samples.withLock { $0[[]] = initial } }
    }

    /// Changes a sample.
    ///
    /// Beyond ``MetricsRegistry/maxSeriesCount`` new values of labels go to one sample, whose labels are `_other`.
    func update(
        _ values: [String], file: StaticString, line: UInt, _ change: (inout Value) -> Void
    ) {
        endUnless(
            values.count == labels.count,
            "The metric \(name) has \(labels.count) labels, and \(values.count) values were given.",
            file: file, line: line)
        samples.withLock { samples in
            let isKnown = samples[values] != nil || samples.count < MetricsRegistry.maxSeriesCount
            let key = isKnown ? values : values.map { _ in MetricsRegistry.otherLabelValue }
            change(&samples[key, default: initial])
        }
    }

    /// The samples in the order of their labels.
    var sorted: [(labels: MetricsText.Labels, value: Value)] {
        samples.withLock { $0 }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
            .map { (Array(zip(labels, $0.key)), $0.value) }
    }
}

/// A family as the registry writes it.
protocol WrittenFamily: Sendable {
    func write(to text: inout MetricsText)
}

/// The counts of values by upper bounds.
struct ValueHistogram: Sendable {
    let bounds: [Double]
    /// One for each bound, and one for values above all bounds.
    private(set) var buckets: [UInt64]
    private(set) var sum = 0.0

    init(bounds: [Double]) {
        self.bounds = bounds
        buckets = [UInt64](repeating: 0, count: bounds.count + 1)
    }

    mutating func add(_ value: Double) {
        buckets[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }
}

extension MetricsText {
    /// The samples of a histogram with the present family's name.
    mutating func histogram(_ histogram: ValueHistogram, _ labels: Labels) {
        var below: UInt64 = 0
        for (bound, count) in zip(histogram.bounds, histogram.buckets) {
            below += count
            sample("_bucket", labels + [("le", Self.number(bound))], "\(below)")
        }
        let count = histogram.buckets.reduce(0, +)
        sample("_bucket", labels + [("le", "+Inf")], "\(count)")
        sample("_sum", labels, Self.number(histogram.sum))
        sample("_count", labels, "\(count)")
    }
}
