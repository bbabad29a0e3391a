// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP

extension CrossChecks {
    /// A route of one resource that lies below another one on the same authority would never be reached.
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

    /// What is public below a resource is public only because it is written down, path by path.
    func checkPublicRoutes(_ file: ConfigurationFile) {
        checkDistinct(file.publicRoutes)
        for route in file.publicRoutes {
            let segments = pathSegments(route.pattern)
            if isBelow(segments, [".well-known", "oauth-protected-resource"]) {
                error(route.path, ["path"], "must lie elsewhere; the metadata documents are there")
            }
            guard let resource = file.resources.first(where: { isBelow(segments, $0.url.segments) }) else {
                continue
            }
            if route.isCatchAll {
                error(
                    route.path, ["path"],
                    "must not take every path below \(resource.path); name the public ones, or put it elsewhere"
                )
            } else {
                findings.warning(
                    JSONPath(text: route.path)["path"],
                    "lies below \(resource.path) and needs no token all the same", isSaidAtStart: true)
            }
        }
    }

    /// Two routes with the same shape and method would shadow each other.
    func checkDistinct(_ routes: [RouteSettings]) {
        for (index, route) in routes.enumerated() {
            let shape = Self.shape(route.pattern)
            let rival = routes[..<index].first { other in
                Self.shape(other.pattern) == shape && other.methods.contains(where: route.methods.contains)
            }
            guard let rival else { continue }
            error(route.path, ["path"], "has the same path and method as \(rival.path); must be there once")
        }
    }

    /// The pattern without the names of its parameters.
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
