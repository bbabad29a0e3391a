// SPDX-License-Identifier: MIT

import Portcullis

/// Where requests need no token, and which operations a client can get around.
extension CrossChecks {
    func checkAuthentication(of route: RouteSettings) {
        if route.authentication == .optional, route.demandsMoreThanToken {
            error(
                route.path, ["authentication"],
                "must not be \"optional\" on a route that demands something of a token: scopes, claims, "
                    + "operations, the user's authentication, authorization details, a binding or introspection"
            )
        }
        if route.conditions.operations.contains(where: \.isTokenOptional) {
            for (index, operation) in route.conditions.operations.enumerated() where operation.isTokenOptional
            {
                findings.warning(
                    JSONPath(text: route.path)["operations"][index]["authentication"],
                    "lets requests for this operation pass without a token", isSaidAtStart: true)
            }
        }
        if route.conditions.others == .route {
            findings.warning(
                JSONPath(text: route.path)["other_operations"],
                "lets a request that leaves the fields out, or spells them otherwise, get by with the scopes of "
                    + "the route; the server behind must refuse it")
        }
    }

    /// Warns of each route that needs no token, at the setting that says so.
    func checkAuthentication(of resource: ResourceSettings) {
        // By index: the copy of a route costs a retain for each of its parts.
        let open = resource.routes.indices.filter { resource.routes[$0].isTokenOptional(in: resource) }
            .map { resource.routes[$0] }
        for route in open where route.authentication != nil {
            findings.warning(
                JSONPath(text: route.path)["authentication"],
                "lets requests without a token pass to \(route.pattern)", isSaidAtStart: true)
        }
        if resource.authentication == .optional {
            let paths = open.filter { $0.authentication == nil }.map(\.pattern)
            findings.warning(
                JSONPath(text: resource.path)["authentication"],
                paths.isEmpty
                    ? "has no effect: each route demands something of a token, or says itself what it needs"
                    : "lets requests without a token pass to the routes that demand nothing: "
                        + Self.listed(paths),
                isSaidAtStart: !paths.isEmpty)
        }
        if resource.challengeScope == .resource, resource.metadata.scopesSupported.isEmpty {
            findings.warning(
                JSONPath(text: resource.path)["challenge_scope"],
                "names no scope, since the metadata has no scopes_supported", isSaidAtStart: true)
        }
    }

    private static func listed(_ paths: [String]) -> String {
        paths.prefix(10).joined(separator: ", ") + (paths.count > 10 ? " and \(paths.count - 10) more" : "")
    }
}
