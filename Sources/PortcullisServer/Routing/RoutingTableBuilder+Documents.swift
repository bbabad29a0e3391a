// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP

extension RoutingTableBuilder {
    /// The document table of the resources of one authority.
    mutating func documents(_ resources: [ProtectedResource]) -> DocumentTable {
        let places = PublishedPlaces(resources)
        problems += places.problems
        var routes = places.metadata.mapValues { candidates in
            open("metadata") { request in
                Response(PublishedPlaces.answer(to: request.head, query: request.query, candidates))
            }
        }
        for (path, signing) in places.keys {
            routes[path] = open("keys") { request in
                Response(PublishedPlaces.answer(to: request.head, withKeysOf: signing))
            }
        }
        addMirrors(resources, to: &routes)
        return DocumentTable(
            routes,
            reservedPaths: places.reservedPaths,
            noDocument: open("metadata") { _ in .noDocument })
    }

    private func open(_ name: String, _ respond: @escaping @Sendable (Request) -> Response) -> CompiledRoute {
        CompiledRoute(name: name, middleware: outermost, handler: .immediate(respond))
    }

    /// Adds the metadata of authorization servers, for clients that expect it at the resource's origin.
    private func addMirrors(_ resources: [ProtectedResource], to routes: inout [String: CompiledRoute]) {
        for resource in resources where resource.mirrorsAuthorizationServer {
            let route = CompiledRoute(
                name: "authorization server", middleware: outermost,
                handler: .suspending { await AuthorizationServerMirror.respond(to: $0, for: resource) })
            let path = resource.identifier.path
            let suffix = path.utf8.last == 0x2F ? String(path.dropLast()) : path
            for place in [AuthorizationServerMirror.path + suffix, AuthorizationServerMirror.path]
            where routes[place] == nil { routes[place] = route }
        }
    }
}
