// SPDX-License-Identifier: MIT

package import Portcullis
internal import PortcullisHTTP

/// All routes of a server, ready to be asked.
///
/// A class, since every request asks for it: passing it on costs one count of references instead of one for each member.
package final class RoutingTable: Sendable {
    private let sites: [String: Site]
    private let only: Site?
    private let misdirected: CompiledRoute
    /// Every resource that is guarded, in the order of declaration.
    package let resources: [ProtectedResource]
    /// The authorities at which there are resources, in order; none on a server that guards nothing.
    package let authorities: [String]
    /// What the author should know, one sentence each.
    package let warnings: [String]

    /// Compiles what was declared.
    ///
    /// - Throws: ``ConfigurationError`` with every problem: equal resources, a scope that a resource does not declare, two routes for
    ///   one method and path, a public catch-all below a resource, a path that is no pattern.
    package init(_ routes: Routes) throws(ConfigurationError) {
        var builder = RoutingTableBuilder()
        builder.add(routes)
        let parts = try builder.parts()
        let sites = parts.sites
        self.sites = sites.merging(parts.otherNames.compactMapValues { sites[$0] }) { site, _ in site }
        only = sites.count == 1 ? sites.first?.value : nil
        misdirected = parts.misdirected
        resources = parts.resources
        authorities = Set(parts.resources.map { $0.identifier.authority }).sorted()
        warnings = parts.warnings
    }

    /// What a table is made of.
    struct Parts {
        /// By authority; one with an empty name on a server that guards nothing.
        let sites: [String: Site]
        /// Other ways to write an authority, and the one that has the site.
        let otherNames: [String: String]
        let misdirected: CompiledRoute
        let resources: [ProtectedResource]
        let warnings: [String]
    }

    /// Whether a host, in lower case, is one of them, perhaps with the port that goes without saying.
    package func knows(authority: String) -> Bool { site(named: authority) != nil }

    /// The site of a host, which may spell an IPv6 address in any of its ways.
    ///
    /// RFC 4291 §2.2.
    private func site(named authority: String) -> Site? {
        if let site = sites[authority] { return site }
        return AuthorityNames.canonicalAddress(authority).flatMap { sites[$0] }
    }

    /// Decides who answers.
    ///
    /// With one authority, `Host` is not consulted: the server may stand behind any internal name. With several, an unknown one is
    /// answered 421. RFC 9110 §15.5.20.
    package func destination(
        _ method: Method, _ form: TargetForm = .origin, authority: @autoclosure () -> String,
        _ path: RequestPath, isPreflight: Bool = false
    ) -> (route: CompiledRoute, values: [Range<Int>]) {
        guard let site = only ?? site(named: authority()) else { return (misdirected, []) }
        if form == .asterisk { return (site.asterisk, []) }
        return site.destination(method, path, isPreflight: isPreflight)
    }
}
