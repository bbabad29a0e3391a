// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisTransport

/// A text of metric families: each has its type, its help, and then its samples.
struct MetricsText {
    typealias Labels = [(name: String, value: String)]

    /// The type of a family.
    enum Kind: String {
        case counter, gauge, histogram
    }

    private let format: MetricsRegistry.Format
    private var text = ""
    /// The name of the present family.
    private var name = ""

    init(_ format: MetricsRegistry.Format) {
        self.format = format
    }

    /// OpenMetrics 1.0 ends with a line of its own; the older format does not.
    consuming func finished() -> String { format == .openMetrics ? text + "# EOF\n" : text }

    /// Begins a family, whose samples follow.
    ///
    /// - Parameter name: The whole name; that of a counter without `_total`, that of a family with a unit ends
    ///   with it.
    mutating func family(_ name: String, _ kind: Kind, _ help: String, unit: String? = nil) {
        self.name = name
        switch format {
        case .openMetrics:
            text += "# TYPE \(name) \(kind.rawValue)\n"
            if let unit { text += "# UNIT \(name) \(unit)\n" }
            text += "# HELP \(name) \(Self.escaped(help))\n"
        case .text:
            // Here the samples of a counter have its name, and only a backslash and a line feed are escaped.
            let name = kind == .counter ? name + "_total" : name
            text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n"
            text += "# TYPE \(name) \(kind.rawValue)\n"
        }
    }

    /// A sample of the present family.
    mutating func sample(_ suffix: String = "", _ labels: Labels = [], _ value: String) {
        text += name + suffix
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
            text += "{" + pairs.joined(separator: ",") + "}"
        }
        text += " \(value)\n"
    }

    /// A counter without labels.
    mutating func counter(_ name: String, _ help: String, unit: String? = nil, _ value: UInt64) {
        family(name, .counter, help, unit: unit)
        sample("_total", "\(value)")
    }

    /// A gauge without labels.
    mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        family(name, .gauge, help)
        sample(Self.number(value))
    }

    private mutating func sample(_ value: String) { sample("", [], value) }
    private mutating func sample(_ suffix: String, _ value: String) { sample(suffix, [], value) }

    /// The samples of a histogram with the present family's name.
    mutating func histogram(_ histogram: DurationHistogram, _ labels: Labels) {
        var below: UInt64 = 0
        for (bound, count) in zip(histogram.bounds, histogram.buckets) {
            below += count
            sample("_bucket", labels + [("le", Self.seconds(bound * 1000))], "\(below)")
        }
        sample("_bucket", labels + [("le", "+Inf")], "\(histogram.count)")
        sample("_sum", labels, Self.seconds(histogram.sumNanoseconds))
        sample("_count", labels, "\(histogram.count)")
    }

    /// Writes whole numbers without a fraction, like counters.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return Int(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    static func seconds(_ nanoseconds: UInt64) -> String { "\(Double(nanoseconds) / 1e9)" }

    private static func escaped(_ value: String, quotes: Bool = true) -> String {
        var result = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"" where quotes: result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
