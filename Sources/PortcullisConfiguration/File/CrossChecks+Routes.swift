// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP

extension CrossChecks {
    /// Rejects routes of a resource below a deeper one on the same authority: no request reaches them.
    func checkNesting(
        of index: Int, in resources: [ResourceSettings], _ places: ResourcePlaces, _ paths: [[String]]
    ) {
        let resource = resources[index]
        let base = resource.url.segments
        guard !paths.isEmpty, places.reach(below: base) else { return }
        let authority = resource.url.authority
        for (route, segments) in zip(resource.routes.indices, paths) {
            guard isBelow(segments, base),
                let owner = places.owner(of: segments, within: authority, below: base), owner != index
            else { continue }
            error(
                resource.routes[route].path, ["path"],
                "belongs to \(resources[owner].path), whose path is longer; move it there")
        }
    }

    /// Rejects public catch-alls below a resource, and warns of each public route below one.
    func checkPublicRoutes(_ file: ConfigurationFile) {
        guard !file.publicRoutes.isEmpty else { return }
        let paths = file.publicRoutes.map { pathSegments($0.pattern) }
        checkDistinct(file.publicRoutes, paths)
        let owners = ResourcePlaces(file.resources) { _ in "" }
        for (route, segments) in zip(file.publicRoutes, paths) {
            if isBelow(segments, [".well-known", "oauth-protected-resource"]) {
                error(route.path, ["path"], "must be elsewhere; metadata documents are published there")
            }
            guard let owner = owners.first(above: segments) else { continue }
            let resource = file.resources[owner]
            if route.isCatchAll {
                error(
                    route.path, ["path"],
                    "must not match every path below \(resource.path); list the public paths, or move it "
                        + "elsewhere")
            } else {
                findings.warning(
                    JSONPath(text: route.path)["path"],
                    "lies below \(resource.path) but needs no token", isSaidAtStart: true)
            }
        }
    }

    /// Rejects two routes with the same shape and method.
    func checkDistinct(_ routes: [RouteSettings], _ paths: [[String]]) {
        guard routes.count > 1 else { return }
        var seen: [RouteShape: Int] = [:]
        seen.reserveCapacity(routes.count)
        for (index, segments) in zip(routes.indices, paths) {
            let shape = segments.map(Self.shape)
            var rival: Int?
            for method in routes[index].methods {
                let key = RouteShape(segments: shape, method: method)
                guard let first = seen[key] else {
                    seen[key] = index
                    continue
                }
                if first < index { rival = min(rival ?? first, first) }
            }
            guard let rival else { continue }
            error(
                routes[index].path, ["path"],
                "has the same path and method as \(routes[rival].path); remove one of them")
        }
    }

    /// A segment without its parameter's name.
    private static func shape(_ segment: String) -> String {
        guard segment.utf8.first == 0x7B else { return segment }
        return segment.hasSuffix("...}") ? "{...}" : "{}"
    }
}

/// What must be distinct among the routes of a resource.
private struct RouteShape: Hashable {
    let segments: [String]
    let method: Method
}

extension ResourceSettings {
    var url: HTTPURL { metadata.resource.url }
}
