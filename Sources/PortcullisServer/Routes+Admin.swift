// SPDX-License-Identifier: MIT

public import Portcullis
internal import PortcullisDiscovery
internal import PortcullisHTTP

extension Routes {
    /// Adds health, readiness and metrics routes for operators.
    ///
    /// `GET /healthz` is 200 as long as the process answers. `GET /readyz` is 200 while every resource has
    /// usable keys of all its issuers, otherwise 503; `GET /readyz?check=chain` discovers each resource as a
    /// client would, and answers with a report, 503 if discovery fails for some client. `GET /metrics` is the
    /// registry's text, in OpenMetrics 1.0, or in the format 0.0.4 for a request whose `Accept` prefers it. None of them requires a token: put them on a server that only operators can reach.
    ///
    /// - Parameters:
    ///   - resources: Returns the current resources of the service, which may be replaced.
    ///   - fetcher: Fetches the resources' own URLs, for reports. Default `nil`: each resource's fetcher.
    ///   - metrics: The metrics of the service. Default `nil`: there is no `/metrics`.
    public mutating func addOperatorRoutes(
        watching resources: @escaping @Sendable () -> [ProtectedResource],
        through fetcher: (any Fetcher)? = nil,
        metrics: MetricsRegistry? = nil
    ) {
        get("/healthz") { _ in .text("ok\n") }
        get("/readyz") { request async in
            guard request.query != "check=chain" else {
                let reports = await Server.checkChains(of: resources(), through: fetcher)
                let passes = reports.allSatisfy(\.passes)
                return .json(
                    ["passes": .bool(passes), "resources": .array(reports.map { .object($0.json) })],
                    status: passes ? .ok : .serviceUnavailable)
            }
            let isReady = resources().allSatisfy(\.isReady)
            return isReady ? .text("ready\n") : .text("not ready\n", status: .serviceUnavailable)
        }
        guard let metrics else { return }
        get("/metrics") { request in
            let format = MetricsRegistry.format(for: request.head)
            var response = Response.bytes(Array(metrics.text(format).utf8), contentType: format.contentType)
            // RFC 9110 §12.5.5.
            response.fields.append("Accept", for: .vary)
            return response
        }
    }
}
