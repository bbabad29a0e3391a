// SPDX-License-Identifier: MIT

public import Portcullis

extension Routes {
    /// Adds what operators and their tools ask a service.
    ///
    /// `GET /healthz` is 200 as long as the process answers. `GET /readyz` is 200 while every resource has usable keys of all its
    /// issuers, else 503; `GET /readyz?check=chain` walks the chain of each resource as a client would, and answers with a report,
    /// 503 if some client would be stopped. `GET /metrics` is the registry's text. None of them asks for a token: put them on a server that listens where
    /// only operators reach it.
    ///
    /// - Parameters:
    ///   - resources: The resources of the service at the time of the question, since they may be replaced.
    ///   - fetcher: The way to the resources' own URLs, for reports. Default nothing: that of each resource.
    ///   - metrics: What the service counts. Default nothing: then there is no `/metrics`.
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
        get("/metrics") { _ in
            .bytes(Array(metrics.openMetricsText.utf8), contentType: MetricsRegistry.contentType)
        }
    }
}
