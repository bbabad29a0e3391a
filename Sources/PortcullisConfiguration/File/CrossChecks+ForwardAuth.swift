// SPDX-License-Identifier: MIT

import PortcullisJOSE
import PortcullisServer

extension CrossChecks {
    /// Rejects an endpoint where nobody may ask, or whose path hides resources and routes.
    func checkForwardAuth(_ file: ConfigurationFile) {
        guard let settings = file.forwardAuth else { return }
        if file.server.proxies.isEmpty {
            findings.error(
                JSONPath.root["forward_auth"],
                "needs server.trusted_proxies with the address of the proxy; every other peer gets 404")
        }
        let hidden = pathSegments(settings.path)
        func isHidden(_ segments: [String]) -> Bool {
            settings.family == .envoy ? isBelow(segments, hidden) : segments == hidden
        }
        for resource in file.resources {
            if isHidden(resource.url.segments) {
                error(resource.path, ["metadata", "resource"], "is never reached: forward_auth has its path")
            }
            for route in resource.routes where isHidden(pathSegments(route.pattern)) {
                error(route.path, ["path"], "is never reached: forward_auth has its path")
            }
        }
        for route in file.publicRoutes where isHidden(pathSegments(route.pattern)) {
            error(route.path, ["path"], "is never reached: forward_auth has its path")
        }
    }
}
