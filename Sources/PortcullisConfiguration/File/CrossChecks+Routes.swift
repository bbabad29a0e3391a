// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP

extension CrossChecks {
    /// Rejects routes of one resource below a deeper resource on the same authority: no request reaches them.
    func checkNesting(_ resources: [ResourceSettings]) {
        for resource in resources where !resource.routes.isEmpty {
            let deeper = resources.filter {
                $0.url.authority == resource.url.authority
                    && $0.url.segments.count > resource.url.segments.count
                    && isBelow($0.url.segments, resource.url.segments)
            }
            for route in resource.routes {
                let segments = pathSegments(route.pattern)
                guard let owner = deeper.first(where: { isBelow(segments, $0.url.segments) }) else {
                    continue
                }
                error(route.path, ["path"], "belongs to \(owner.path), whose path is longer; move it there")
            }
        }
    }

    /// Rejects public catch-alls below a resource, and warns of each public route below one.
    func checkPublicRoutes(_ file: ConfigurationFile) {
        checkDistinct(file.publicRoutes)
        for route in file.publicRoutes {
            let segments = pathSegments(route.pattern)
            if isBelow(segments, [".well-known", "oauth-protected-resource"]) {
                error(route.path, ["path"], "must be elsewhere; metadata documents are published there")
            }
            guard let resource = file.resources.first(where: { isBelow(segments, $0.url.segments) }) else {
                continue
            }
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
    func checkDistinct(_ routes: [RouteSettings]) {
        for (index, route) in routes.enumerated() {
            let shape = Self.shape(route.pattern)
            let rival = routes[..<index].first { other in
                Self.shape(other.pattern) == shape && other.methods.contains(where: route.methods.contains)
            }
            guard let rival else { continue }
            error(route.path, ["path"], "has the same path and method as \(rival.path); remove one of them")
        }
    }

    /// The pattern without its parameters' names.
    private static func shape(_ pattern: String) -> [String] {
        pathSegments(pattern).map { segment in
            guard segment.hasPrefix("{") else { return segment }
            return segment.hasSuffix("...}") ? "{...}" : "{}"
        }
    }
}

extension ResourceSettings {
    var url: HTTPURL { metadata.resource.url }
}
