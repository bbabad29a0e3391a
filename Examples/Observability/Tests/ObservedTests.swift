// SPDX-License-Identifier: MIT

import InMemoryLogging
import Logging
import MetricsTestKit
import Observed
import Portcullis
import PortcullisTesting
import ServiceLifecycle
import Testing

@Test func `logs, measurements and the shutdown go through the three packages`() async throws {
    let issuer = TestIssuer("https://login.example.com")
    let (log, metrics) = (InMemoryLogHandler(), TestMetrics())
    let logger = Logger(label: "test") { _ in log }
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    let server = observedServer(
        port: 0, guarding: "https://api.example.com/notes", trusting: issuer.trusted, logger: logger,
        metrics: metrics, onListening: { continuation.yield($0) })
    let group = ServiceGroup(services: [server], logger: logger)
    let running = Task { try await group.run() }
    for await port in ports {
        let url = "http://127.0.0.1:\(port)/notes/7"
        let token = issuer.mint(audience: "https://api.example.com/notes", scope: "notes:read")
        let fields: Fields = [.authorization: "Bearer \(token)"]
        let fetcher = HTTPClientFetcher()
        #expect(try await fetcher.fetch(FetchRequest(url: url)).status == .unauthorized)
        #expect(try await fetcher.fetch(FetchRequest(url: url, fields: fields)).status == .ok)
        break
    }
    await group.triggerGracefulShutdown()
    try await running.value

    let timers = metrics.timers(label: "http.server.request.duration")
    let results = timers.map { timer in Dictionary(uniqueKeysWithValues: timer.dimensions) }
    #expect(Set(results.compactMap { $0["status"] }) == ["200", "401"])
    #expect(Set(results.compactMap { $0["refusal"] }) == ["none", "missingCredentials"])
    #expect(timers.allSatisfy { $0.values.count == 1 })
    #expect(log.entries.contains { $0.level == .notice && "\($0.message)".contains("127.0.0.1") })
    // The access log has a thread of its own.
    for _ in 0..<500 where log.entries.filter({ $0.level == .info }).count < 2 {
        try await Task.sleep(for: .milliseconds(10))
    }
    let lines = log.entries.filter { $0.level == .info }.map { "\($0.message)" }
    #expect(lines.contains { $0.contains("\"status\":401") })
    #expect(lines.contains { $0.contains("\"status\":200") })
}
