// SPDX-License-Identifier: MIT

// snippet: observability-main
import Logging
import Metrics
import Observed
import ServiceLifecycle

let logger = Logger(label: "notes")
let server = observedServer(
    port: 8080, guarding: "https://api.example.com/notes",
    trusting: .jwt(issuer: "https://login.example.com"), logger: logger, metrics: MetricsSystem.factory)
let group = ServiceGroup(
    services: [server], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
try await group.run()
// end
