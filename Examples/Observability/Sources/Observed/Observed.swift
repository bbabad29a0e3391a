// SPDX-License-Identifier: MIT

// snippet: observability
import Logging
import Metrics
import PortcullisServer
import ServiceLifecycle

/// A server as a service: it stops accepting when its group shuts down, and returns when its requests have ended.
public struct ServerService: Service {
    let server: Server
    let onListening: @Sendable (_ port: Int) -> Void

    /// Runs the server until the group shuts down.
    public func run() async throws {
        try await cancelWhenGracefulShutdown { try await server.run { onListening($0.port) } }
    }
}

/// Passes the server's measurements on to swift-metrics.
struct ForwardedMetrics: ServerMetrics, ServerMetricsRecorder {
    let factory: any MetricsFactory

    func makeRecorder(loop: Int) -> any ServerMetricsRecorder { self }

    func record(_ event: ServerEvent) {
        switch event {
        case .requestFinished(let request):
            // No method and no path: clients choose them, and a metrics system keeps each value.
            let dimensions = [
                ("route", request.route), ("status", request.status.map { String($0.code) } ?? "none"),
                ("refusal", request.refusal?.rawValue ?? "none"),
            ]
            Timer(label: "http.server.request.duration", dimensions: dimensions, factory: factory)
                .record(duration: request.duration)
        case .timedOut(let kind):
            Counter(label: "http.server.timeouts", dimensions: [("kind", kind.rawValue)], factory: factory)
                .increment()
        case .connectionShed:
            Counter(label: "http.server.connections.shed", factory: factory).increment()
        default: return
        }
    }
}

extension Logger.Level {
    init(_ level: Server.LogEntry.Level) {
        switch level {
        case .info: self = .notice
        case .warning: self = .warning
        case .error: self = .error
        }
    }
}

/// Makes a server that logs with swift-log and measures with swift-metrics.
public func observedServer(
    port: Int, guarding identifier: ResourceIdentifier, trusting issuer: TrustedIssuer, logger: Logger,
    metrics factory: any MetricsFactory, onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
) -> ServerService {
    let notes = ProtectedResource(
        identifier, trusting: issuer, scopes: ["notes:read"],
        onEvent: { logger.warning("\($0)", metadata: ["resource": "\(identifier)"]) })
    var configuration = Server.Configuration(
        log: { entry in
            let metadata = entry.metadata.mapValues { Logger.MetadataValue.string($0) }
            logger.log(level: .init(entry.level), "\(entry.message)", metadata: metadata)
        }, metrics: ForwardedMetrics(factory: factory))
    configuration.accessLog = .lines(.json) { lines in
        for line in lines.split(separator: 0x0A) { logger.info("\(String(decoding: line, as: UTF8.self))") }
    }
    let server = Server(port: port, configuration: configuration) { routes in
        routes.protect(notes) { notes in
            notes.get("/{id}", requiring: "notes:read") { request, token in
                .text("note \(request.parameters["id"]) of \(token.subject ?? "")")
            }
        }
    }
    return ServerService(server: server, onListening: onListening)
}
// end
