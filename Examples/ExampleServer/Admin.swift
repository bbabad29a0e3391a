// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisServer
import PortcullisTransport

/// Creates the admin server, with health, readiness and metrics.
func makeAdminServer(
    _ settings: AdminSettings, watching server: Server, through fetcher: HTTPClientFetcher?,
    metrics: MetricsRegistry, _ manager: SystemdEnvironment
) throws -> Server {
    var routes = Routes()
    routes.addOperatorRoutes(watching: { server.resources }, through: fetcher, metrics: metrics)
    let socket: ServerSocket
    do throws(SocketError) {
        if let inherited = try manager.socket(named: { $0 == "admin" }, loopCount: 1) {
            socket = inherited
        } else {
            socket = try ServerSocket(host: settings.host, port: settings.port, loopCount: 1)
        }
    } catch {
        throw AdminListenerError(error)
    }
    return try Server(
        validating: routes, on: socket, configuration: .init(eventLoopCount: 1, log: log))
}

/// The error for an admin listener that cannot bind its address.
struct AdminListenerError: Error, CustomStringConvertible {
    let description: String

    init(_ error: SocketError) { description = describe(error, at: "$.admin") }
}
