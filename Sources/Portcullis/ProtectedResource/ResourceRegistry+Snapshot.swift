// SPDX-License-Identifier: MIT

public import PortcullisHTTP

extension ResourceRegistry {
    /// The resources of a program at one moment, immutable.
    ///
    /// Cheap to copy. ``ResourceRegistry/current`` returns the present one; a request that uses one snapshot
    /// from start to end is not affected by a replacement meanwhile.
    ///
    /// RFC 9728 §3, §5.2.
    public struct Snapshot: Sendable {
        /// The resources of one authority.
        private struct Site: Sendable {
            private let owners: [ArraySlice<UInt8>: Owner]
            /// The length of the longest path of a resource.
            private let longest: Int
            let places: PublishedPlaces

            init(_ resources: [ProtectedResource]) {
                owners = Snapshot.owners(resources)
                longest = owners.keys.map(\.count).max() ?? 0
                places = PublishedPlaces(resources)
            }

            /// Returns the resource with the longest path that is a prefix of a path, by whole segments.
            func owner(of path: RequestPath) -> ProtectedResource? {
                let bytes = path.bytes[path.range]
                var rest = bytes
                if rest.last == 0x2F { rest.removeLast() }
                // Each look-up hashes its whole key, and the client chooses the length of the path.
                if rest.count > longest {
                    let beginning = rest.prefix(longest + 1)
                    rest = beginning[..<(beginning.lastIndex(of: 0x2F) ?? beginning.startIndex)]
                }
                while true {
                    if let owner = owners[rest], !owner.endsWithSlash || rest.endIndex < bytes.endIndex {
                        return owner.resource
                    }
                    guard let slash = rest.lastIndex(of: 0x2F) else { return nil }
                    rest = rest[..<slash]
                }
            }
        }

        /// The resource that a path and all paths below it belong to.
        private struct Owner: Sendable {
            let resource: ProtectedResource
            /// Whether the identifier ends with a slash, so that only paths below it belong to the resource.
            let endsWithSlash: Bool
        }

        private final class Storage: Sendable {
            let resources: [ProtectedResource]
            let byIdentifier: [[UInt8]: ProtectedResource]
            /// By every name of their authorities.
            let sites: [String: Site]
            let distinctSites: [Site]
            let only: Site?

            init(_ resources: [ProtectedResource], _ sites: [String: Site]) {
                self.resources = resources
                byIdentifier = Dictionary(resources.map { (Array($0.identifier.text.utf8), $0) }) { $1 }
                only = sites.count == 1 ? sites.first?.value : nil
                distinctSites = Array(sites.values)
                let others = AuthorityNames.others(of: resources.map(\.identifier))
                self.sites = sites.merging(others.compactMapValues { sites[$0] }) { site, _ in site }
            }
        }

        private let storage: Storage

        /// - Throws: ``ConfigurationError`` for every two resources that can't be distinguished.
        init(_ resources: [ProtectedResource]) throws(ConfigurationError) {
            var problems = PublishedPlaces.collisions(among: resources.map(\.identifier))
            let sites = Dictionary(grouping: resources, by: \.identifier.authority).mapValues { resources in
                Site(resources)
            }
            problems += sites.sorted { $0.key < $1.key }.flatMap(\.value.places.problems)
            guard problems.isEmpty else {
                throw ConfigurationError(problems.map { ConfigurationError.Problem($0) })
            }
            storage = Storage(resources, sites)
        }

        private static func owners(_ resources: [ProtectedResource]) -> [ArraySlice<UInt8>: Owner] {
            var owners: [ArraySlice<UInt8>: Owner] = [:]
            for resource in resources {
                var path = Array(resource.identifier.path.utf8)
                let endsWithSlash = path.count > 1 && path.last == 0x2F
                if path.last == 0x2F { path.removeLast() }
                // Resources that differ only in their query share their paths: the first one wins.
                if owners[path[...]] == nil {
                    owners[path[...]] = Owner(resource: resource, endsWithSlash: endsWithSlash)
                }
            }
            return owners
        }

        /// The resources, in order.
        public var resources: [ProtectedResource] { storage.resources }

        /// The resource with exactly this identifier, or `nil`.
        public subscript(identifier: ResourceIdentifier) -> ProtectedResource? {
            storage.byIdentifier[Array(identifier.text.utf8)]
        }

        /// Returns the resource that a request belongs to: the one with the longest matching path.
        ///
        /// Paths match by whole segments. If all resources have one authority, `Host` is ignored. The cost
        /// does not grow with the number of resources; it grows with the number of authorities only if no
        /// resource matches.
        ///
        /// - Returns: `nil` if the request belongs to no resource, so that nothing guards it.
        /// - Throws: `MalformedMessage`, whose status is the answer. 400 for an invalid target, and for a
        ///   path that programs read differently, such as one with dot segments or an encoded slash, whatever
        ///   resource it belongs to. 421 for a path that belongs to a resource, but at another host than the
        ///   request's: a server that routes by path alone would answer it without a token. A resource
        ///   without a path owns all paths. If the server also routes by host, treat
        ///   `MalformedMessage.misdirectedRequest` as `nil`.
        ///
        /// RFC 9728 §3.3, RFC 3986 §6.2.2, RFC 9110 §15.5.20.
        public func resource(for head: RequestHead) throws(MalformedMessage) -> ProtectedResource? {
            let target = try RequestTarget(head)
            guard let path = try target.path(of: head) else { return nil }
            if let owner = site(of: head, target)?.owner(of: path) { return owner }
            let isGuarded =
                storage.only == nil && storage.distinctSites.contains { $0.owner(of: path) != nil }
            guard !isGuarded else { throw .misdirectedRequest }
            return nil
        }

        /// Returns the answer to a request for a metadata document or for the keys that sign it.
        ///
        /// Requires no token and never waits: ``MetadataPublishing/mirrorsAuthorizationServer`` has no effect
        /// here. The answer to `HEAD` has no body, and the same `Content-Length` as the answer to `GET`.
        ///
        /// - Returns: 404 for a well-known path of no resource, so that no other handler answers there; `nil`
        ///   if the path is not one of documents, or the host is another.
        ///
        /// RFC 9728 §2, §3.1, §3.2.
        public func metadataResponse(to head: RequestHead) -> (head: ResponseHead, body: [UInt8])? {
            document(for: head).map { MetadataDocument.withoutBody($0, to: head) }
        }

        /// The same, with a body for `HEAD` too, so that a server can compute `Content-Length`.
        package func document(for head: RequestHead) -> (head: ResponseHead, body: [UInt8])? {
            guard let target = try? RequestTarget(head), let path = try? target.path(of: head),
                let site = site(of: head, target)
            else { return nil }
            return site.places.answer(to: head, path: path.text, query: target.query.map { head.text($0) })
        }

        private func site(of head: RequestHead, _ target: RequestTarget) -> Site? {
            if let only = storage.only { return only }
            guard let authority = Self.authority(of: head, target) else { return nil }
            if let site = storage.sites[authority] { return site }
            return AuthorityNames.canonicalAddress(authority).flatMap { storage.sites[$0] }
        }

        /// The authority of an absolute target; otherwise that of the only `Host` field.
        ///
        /// RFC 9112 §3.2.2.
        private static func authority(of head: RequestHead, _ target: RequestTarget) -> String? {
            if let authority = target.authority { return ASCII.lowercased(head.text(authority)) }
            let hosts = head.fields.values(of: .host)
            return hosts.count == 1 ? ASCII.lowercased(hosts[0]) : nil
        }
    }
}
