// SPDX-License-Identifier: MIT

import PortcullisServer
import Testing

@Suite("W3C Trace Context §4.3, §6 The trace of a request")
struct TraceContext_4_3_Traces {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let field = "traceparent: 00-\(trace)-00f067aa0ba902b7-01"

    /// The trace that the handler sees twice, and the lines of the access log.
    private static func traces(
        _ trust: TraceTrust, trusting networks: [String] = [], log: Bool = true, _ fields: String...
    ) async throws -> (seen: [String], line: Lines) {
        let lines = Lines()
        let proxies = try TrustedProxies(networks)
        var setup = RunningServer.Setup()
        setup.configure = {
            $0.traces = trust
            $0.proxies = proxies
            if log { $0.accessLog = .lines(.json) { lines.add($0) } }
        }
        let reply = try await withServer(
            setup,
            {
                $0.get("/") { request in
                    let trace = request.trace
                    return .text(
                        "\(trace.traceID) \(request.trace.traceID) \(trace.parentID ?? "-") "
                            + "\(trace.linkedTraceID ?? "-") \(trace.isSampled)")
                }
            }
        ) { try await $0.exchange(request("GET", "/", fields)) }
        return (reply.text.split(separator: " ").map(String.init), lines)
    }

    @Test(arguments: [
        (TraceTrust.trusted, ["127.0.0.1"], true), (.trusted, [], false), (.all, [], true),
        (.none, ["127.0.0.1"], false),
    ])
    func `a trace is continued for those that the setting names`(
        trust: TraceTrust, networks: [String], isContinued: Bool
    ) async throws {
        let (seen, lines) = try await Self.traces(trust, trusting: networks, Self.field)
        #expect(seen[0] == seen[1])
        #expect((seen[0] == Self.trace) == isContinued)
        #expect(
            seen[2...] == (isContinued ? ["00f067aa0ba902b7", "-", "true"] : ["-", Self.trace, "false"]))
        let line = try #require(lines.objects.first)
        #expect(line["trace_id"]?.string == seen[0])
        #expect(line["linked_trace_id"]?.string == (isContinued ? nil : Self.trace))
    }

    @Test(arguments: [true, false])
    func `each other request starts a trace of its own`(log: Bool) async throws {
        let (first, _) = try await Self.traces(.trusted, log: log)
        let (second, _) = try await Self.traces(.trusted, log: log)
        #expect(first[0] == first[1] && second[0] == second[1] && first[0] != second[0])
        #expect(first[0].utf8.count == 32)
    }

    @Test func `a malformed field is no error`() async throws {
        let (seen, lines) = try await Self.traces(.all, "traceparent: 00-x", "tracestate: a=1")
        #expect(seen[2] == "-" && seen[3] == "-")
        #expect(lines.objects.first?["status"]?.number?.integer == 200)
    }
}
