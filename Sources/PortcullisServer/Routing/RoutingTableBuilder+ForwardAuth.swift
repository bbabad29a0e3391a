// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP

extension RoutingTableBuilder {
    /// Rejects a second endpoint, and routes that its path would hide.
    mutating func checkEndpoints(besides blocks: [Block]) {
        guard let endpoint = endpoints.first else { return }
        if endpoints.count > 1 {
            problems.append(
                "forward authentication has more than one path; declare one, and one server for each "
                    + "proxy family")
        }
        problems += endpoint.problems
        let guarded = blocks.map(\.routes.resource.identifier.path)
        let hidden = publicRoutes.map { $0.pattern.description } + guarded
        for path in Set(hidden).sorted() where Self.isHidden(path, by: endpoint) {
            problems.append("the path \(path) is never reached: forward authentication has the path")
        }
    }

    private static func isHidden(_ path: String, by endpoint: any ForwardAuthEndpoint) -> Bool {
        guard !path.isEmpty,
            let normal = try? RequestPath(path.replacing("{", with: "").replacing("}", with: ""))
        else { return false }
        return endpoint.owns(normal)
    }
}
