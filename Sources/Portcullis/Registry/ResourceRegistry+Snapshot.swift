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
        private final class Storage: Sendable {
            let resources: [ProtectedResource]
            let byIdentifier: [[UInt8]: ProtectedResource]
            let resolver: ResourceResolver

            init(_ resources: [ProtectedResource]) throws(ConfigurationError) {
                self.resources = resources
                byIdentifier = Dictionary(resources.map { (Array($0.identifier.text.utf8), $0) }) { $1 }
                resolver = try ResourceResolver(resources)
            }
        }

        private let storage: Storage

        /// - Throws: ``ConfigurationError`` for every two resources that can't be distinguished.
        init(_ resources: [ProtectedResource]) throws(ConfigurationError) {
            storage = try Storage(resources)
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
            if let owner = site(of: head, target)?.resource(owning: path) { return owner }
            let sites = storage.resolver.sites
            guard sites.count == 1 || !sites.contains(where: { $0.resource(owning: path) != nil }) else {
                throw .misdirectedRequest
            }
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
            switch site.document(path) {
            case .document(let index)?:
                return site.documents[index].answer(to: head, query: target.query.map { head.text($0) })
            case .reserved?: return (MetadataDocument.notFound, [])
            case nil: return nil
            }
        }

        private func site(of head: RequestHead, _ target: RequestTarget) -> ResourceResolver.Site? {
            let resolver = storage.resolver
            if resolver.sites.count == 1 { return resolver.sites[0] }
            return Self.authority(of: head, target).flatMap { resolver.site(named: $0) }
                .map { resolver.sites[$0] }
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

extension ResourceResolver.Site {
    /// The resource with the longest path that a path begins with, or `nil`.
    fileprivate func resource(owning path: RequestPath) -> ProtectedResource? {
        path.bytes.withUnsafeBytes { bytes in
            owner(of: PathSegments(bytes, path.range)).resource.map { resources[$0] }
        }
    }
}
