// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisServer
import PortcullisTransport

/// Creates the admin server, with health, readiness and metrics.
func makeAdminServer(
    _ settings: AdminSettings, relativeTo path: String, watching server: Server,
    through fetcher: HTTPClientFetcher?,
    metrics: MetricsRegistry, _ manager: SystemdEnvironment
) throws -> Server {
    var routes = Routes()
    routes.addOperatorRoutes(watching: { server.resources }, through: fetcher, metrics: metrics)
    let host = ConfigurationFile.listenerHost(settings.host, relativeTo: path)
    let socket =
        try manager.socket(named: { $0 == "admin" }, loopCount: 1)
        ?? makeSocket(at: .init(object: "$.admin"), host, settings.port, loopCount: 1)
    return try Server(
        validating: routes, on: socket, configuration: .init(eventLoopCount: 1, log: log))
}
