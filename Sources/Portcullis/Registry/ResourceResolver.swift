// SPDX-License-Identifier: MIT

package import PortcullisHTTP

/// Finds what a request's authority and path belong to: a document, a protected resource, or neither.
///
/// The one place of this rule: the package's server, ``ResourceRegistry`` and `explain` ask it. Knows nothing
/// of methods, routes and public routes, which the server adds by the indices that it returns.
///
/// RFC 9728 §3, RFC 3986 §6.2.2.
package struct ResourceResolver: Sendable {
    /// By their indices, sorted by the authorities' names.
    package let sites: [Site]
    /// The index of the site for each spelling of its authority, in lower case.
    private let names: [String: Int]

    /// The resources of one authority.
    package final class Site: Sendable {
        /// The authority, with its port unless it is the scheme's default.
        package let authority: String
        package let resources: [ProtectedResource]
        /// What is at the paths of documents, by index.
        package let documents: [PublishedDocument]
        private let documentTable: DocumentTable
        private let tree: ResourceTree

        fileprivate init(
            _ authority: String, _ resources: [ProtectedResource], _ published: PublishedDocuments
        ) {
            self.authority = authority
            self.resources = resources
            documents = published.documents
            documentTable = DocumentTable(published.paths, reservedPaths: published.reservedPaths)
            tree = ResourceTree(resources.map(\.identifier))
        }

        /// Returns the document at a path; `nil` if the path is not for documents.
        package func document(_ path: RequestPath) -> DocumentTable.Match? {
            documentTable.match(path)
        }

        /// Returns the index of the resource with the longest path that a path begins with, by whole
        /// segments, and the segments that follow it.
        ///
        /// Ignores documents, which are looked up first.
        package func owner(of path: PathSegments) -> (resource: Int?, rest: PathSegments) {
            tree.owner(of: path)
        }
    }

    /// - Throws: ``ConfigurationError`` for every two resources that can't be distinguished.
    package init(_ resources: [ProtectedResource]) throws(ConfigurationError) {
        var problems = PublishedDocuments.collisions(among: resources.map(\.identifier))
        let groups = Dictionary(grouping: resources, by: \.identifier.authority).sorted { $0.key < $1.key }
        sites = groups.map { authority, resources in
            let published = PublishedDocuments(resources)
            problems += published.problems
            return Site(authority, resources, published)
        }
        guard problems.isEmpty else {
            throw ConfigurationError(problems.map { ConfigurationError.Problem($0) })
        }
        let indices = Dictionary(zip(sites.map(\.authority), sites.indices)) { first, _ in first }
        let others = AuthorityNames.others(of: resources.map(\.identifier))
        names = indices.merging(others.compactMapValues { indices[$0] }) { site, _ in site }
    }

    /// The index of an authority's site, or `nil` if there is none.
    ///
    /// - Parameter authority: In lower case; the default port may be written, and an IPv6 address may have
    ///   any spelling. RFC 4291 §2.2.
    package func site(named authority: String) -> Int? {
        if let site = names[authority] { return site }
        return AuthorityNames.canonicalAddress(authority).flatMap { names[$0] }
    }
}
