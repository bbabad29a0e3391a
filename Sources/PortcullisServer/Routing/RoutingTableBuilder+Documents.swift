// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP

extension RoutingTableBuilder {
    /// Where the documents of some resources of one authority are, and who answers there.
    mutating func documents(_ resources: [ProtectedResource]) -> DocumentTable {
        var candidates: [String: [MetadataRoute.Candidate]] = [:]
        for resource in resources {
            for place in resource.metadataLocations.places {
                for path in place.paths {
                    candidates[path, default: []].append(.init(resource: resource, place: place))
                }
            }
        }
        refuseShared(candidates)
        var routes = candidates.mapValues { candidates in
            open("metadata") { request in MetadataRoute.respond(to: request, candidates) }
        }
        addKeys(resources, to: &routes)
        addMirrors(resources, to: &routes)
        return DocumentTable(
            routes,
            reservedPaths: Set(resources.flatMap(\.metadataLocations.reservedPaths) + [Self.registered]),
            noDocument: open("metadata") { _ in MetadataRoute.notFound })
    }

    private static let registered = "/.well-known/oauth-protected-resource"

    private func open(_ name: String, _ respond: @escaping @Sendable (Request) -> Response) -> CompiledRoute {
        CompiledRoute(name: name, middleware: outermost, handler: .immediate(respond))
    }

    /// Two documents in one place, such as two root aliases, could not be told apart.
    private mutating func refuseShared(_ candidates: [String: [MetadataRoute.Candidate]]) {
        for (path, sharing) in candidates.sorted(by: { $0.key < $1.key }) {
            for (index, candidate) in sharing.enumerated() {
                let rival = sharing[..<index].first { $0.place.query == candidate.place.query }
                // Colliding identifiers have been named already.
                guard let rival, !rival.resource.identifier.collides(with: candidate.resource.identifier)
                else {
                    continue
                }
                problems.append(
                    "two resources would have their metadata at \(path): \(rival.resource.identifier) and "
                        + "\(candidate.resource.identifier)")
            }
        }
    }

    /// The keys of signed metadata, where `jwks_uri` says that they are.
    private mutating func addKeys(_ resources: [ProtectedResource], to routes: inout [String: CompiledRoute])
    {
        let signing = Dictionary(grouping: resources.filter { $0.keysPath != nil }) { $0.keysPath ?? "" }
        for (path, sharing) in signing {
            let isTaken = routes[path] != nil || resources.contains { $0.identifier.path == path }
            guard !isTaken, path.utf8.count > 1 else {
                problems.append("\(sharing[0].identifier): its jwks_uri is the place of something else")
                continue
            }
            routes[path] = open("keys") { request in MetadataRoute.respondWithKeys(to: request, of: sharing) }
        }
    }

    /// The metadata of authorization servers, for clients that look for it at the resource's origin.
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

    /// Two equal resources would have one metadata location.
    ///
    /// RFC 9728 §3.1.
    mutating func refuseCollisions(_ identifiers: [ResourceIdentifier]) {
        var seen: [String: [ResourceIdentifier]] = [:]
        for identifier in identifiers {
            let key = Site.key(identifier) + identifier.wellKnownLocation.pathWithoutSlash
            for other in seen[key] ?? [] where identifier.collides(with: other) {
                problems.append(
                    "two resources would have the same metadata location: \(other) and \(identifier)")
            }
            seen[key, default: []].append(identifier)
        }
    }
}
