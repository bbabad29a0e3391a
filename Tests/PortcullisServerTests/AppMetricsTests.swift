// SPDX-License-Identifier: MIT

import PortcullisServer
import Testing

@Suite("Metrics: an app's own")
struct AppMetricsTests {
    private let registry = MetricsRegistry()

    private func lines(_ name: String, _ format: MetricsRegistry.Format = .openMetrics) -> [String] {
        registry.text(format).split(separator: "\n").map(String.init).filter { $0.contains(name) }
    }

    @Test func `a counter, a gauge and a histogram stand in the text of the server`() {
        let created = registry.counter("notes_created", help: "Notes created.", labels: ["kind"])
        created.increment("draft")
        created.increment("draft", by: 2)
        created.increment("a \"b\"")
        let waiting = registry.gauge("notes_waiting", help: "Notes that wait.")
        waiting.set(5)
        waiting.add(-1.5)
        let imports = registry.histogram(
            "import_seconds", help: "How long imports take.", bounds: [0.5, 1])
        imports.observe(0.5)
        imports.observe(.milliseconds(750))
        imports.observe(3)
        imports.observe(.nan)
        #expect(
            lines("notes_created") == [
                "# TYPE notes_created counter", "# HELP notes_created Notes created.",
                #"notes_created_total{kind="a \"b\""} 1"#, #"notes_created_total{kind="draft"} 3"#,
            ])
        #expect(lines("notes_waiting").last == "notes_waiting 3.5")
        #expect(
            Array(lines("import_seconds").dropFirst(2)) == [
                #"import_seconds_bucket{le="0.5"} 1"#, #"import_seconds_bucket{le="1"} 2"#,
                #"import_seconds_bucket{le="+Inf"} 3"#, "import_seconds_sum 4.25", "import_seconds_count 3",
            ])
        #expect(lines("notes_created", .text)[1] == "# TYPE notes_created_total counter")
        #expect(registry.openMetricsText.hasSuffix("# EOF\n"))
    }

    @Test func `a metric without labels begins with 0, and one with labels without samples`() {
        _ = registry.counter("notes_created", help: "Notes created.")
        _ = registry.counter("notes_read", help: "Notes read.", labels: ["kind"])
        #expect(lines("notes_created").last == "notes_created_total 0")
        #expect(lines("notes_read").count == 2)
    }

    @Test func `the same declaration returns the same metric`() {
        registry.counter("notes_created", help: "Notes created.").increment()
        registry.counter("notes_created", help: "Notes created.").increment()
        #expect(lines("notes_created").last == "notes_created_total 2")
    }

    @Test func `values of labels beyond the limit count in one sample`() {
        let calls = registry.counter("calls", help: "Calls.", labels: ["peer"])
        for peer in 0..<MetricsRegistry.maxSeriesCount + 5 { calls.increment("\(peer)") }
        calls.increment("0")
        #expect(lines("calls_total").count == MetricsRegistry.maxSeriesCount + 1)
        #expect(lines("calls_total").contains(#"calls_total{peer="_other"} 5"#))
        #expect(lines("calls_total").contains(#"calls_total{peer="0"} 2"#))
    }
}
