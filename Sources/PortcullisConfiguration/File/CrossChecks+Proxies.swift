// SPDX-License-Identifier: MIT

import PortcullisServer

extension CrossChecks {
    /// Rejects proxies whose settings contradict the route or the resource, and warns of risks.
    func checkProxies(_ file: ConfigurationFile) {
        for resource in file.resources {
            for route in resource.routes.proxied { checkProxy(of: route, in: resource) }
        }
        for route in file.publicRoutes { checkProxy(of: route, in: nil) }
    }

    private func checkProxy(of route: RouteSettings, in resource: ResourceSettings?) {
        guard let proxy = route.proxy else { return }
        checkPrefix(proxy, route)
        if proxy.forwardsToken {
            if case .mcp? = resource?.profile {
                error(
                    proxy.path, ["forward_token"],
                    "must not be true under the profile \"mcp\": an MCP server never passes its tokens on")
            } else {
                findings.warning(
                    JSONPath(text: proxy.path)["forward_token"],
                    "gives the server behind the client's token, which it can use as the client could",
                    isSaidAtStart: true)
            }
        }
        if proxy.host == .resource, resource == nil {
            error(proxy.path, ["host"], "must be \"upstream\" in public_routes, which have no resource")
        }
        guard proxy.assertion != nil else { return }
        let place = JSONPath(text: proxy.path)["identity_assertion"]
        guard let resource else {
            return findings.warning(place, "has no effect in public_routes: there is no identity")
        }
        if resource.metadata.jwksURI == nil {
            findings.warning(
                place,
                "signs with a key that is not published: the resource's metadata has no jwks_uri, where "
                    + "the server behind finds the public key")
        }
    }

    private func checkPrefix(_ proxy: ProxySettings, _ route: RouteSettings) {
        guard let prefix = proxy.strippedPrefix, prefix.hasPrefix("/") else { return }
        let segments = pathSegments(route.pattern)
        if !isBelow(segments, pathSegments(prefix)) {
            error(
                proxy.path, ["strip_prefix"],
                "must be the start of the route's path in whole segments; the path is \(route.path).path")
        }
    }
}
