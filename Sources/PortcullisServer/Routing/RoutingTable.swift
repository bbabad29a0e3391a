// SPDX-License-Identifier: MIT

package import Portcullis
internal import PortcullisHTTP

/// The compiled routes of a server.
///
/// A class, because every request uses it: a copy costs one retain instead of one for each member.
package final class RoutingTable: Sendable {
    private let resolver: ResourceResolver
    /// By the resolver's indices; one on a server without protected resources.
    private let sites: [Site]
    /// The only site, which any host leads to.
    private let only: Site?
    private let misdirected: CompiledRoute
    /// Every protected resource, in the order of declaration.
    package let resources: [ProtectedResource]
    /// The authorities with resources, sorted; empty on a server without protected resources.
    package let authorities: [String]
    /// Warnings for the developer, one sentence each.
    package let warnings: [String]
    /// Whether a route asks another server.
    let hasRelays: Bool
    /// Whether a route has limits that differ from the server's.
    let hasRouteLimits: Bool
    /// The largest body limit that a route has of its own; `nil` if none does.
    let largestBodyLimit: Int?
    /// Where proxies ask about requests; `nil` if they cannot.
    let forwardAuth: ForwardAuthRoutes?
    /// The pages that may read the refusals that belong to no route.
    let refusalPolicy: CORSPolicy?

    /// Compiles declared routes.
    ///
    /// - Throws: ``ConfigurationError`` with every problem: equal resources, a scope that a resource does not
    ///   declare, two routes for one method and path, a public catch-all below a resource, a malformed path
    ///   pattern.
    package convenience init(_ routes: Routes) throws(ConfigurationError) {
        try self.init(routes, stopping: ServerStopping())
    }

    /// Compiles the routes of a server.
    ///
    /// - Parameter stopping: When the server begins to stop.
    init(_ routes: Routes, stopping: ServerStopping) throws(ConfigurationError) {
        var builder = RoutingTableBuilder(routes, stopping: stopping)
        let parts = try builder.parts()
        resolver = parts.resolver
        sites = parts.sites
        only = sites.count == 1 ? sites[0] : nil
        misdirected = parts.misdirected
        resources = parts.resources
        authorities = resolver.sites.map(\.authority)
        warnings = parts.warnings
        hasRelays = parts.hasRelays
        hasRouteLimits = parts.hasRouteLimits
        largestBodyLimit = parts.largestBodyLimit
        forwardAuth = parts.forwardAuth
        refusalPolicy = parts.refusalPolicy
    }

    /// The parts of a table.
    struct Parts {
        let resolver: ResourceResolver
        /// By the resolver's indices; one on a server without protected resources.
        let sites: [Site]
        let misdirected: CompiledRoute
        let resources: [ProtectedResource]
        let warnings: [String]
        let hasRelays: Bool
        let hasRouteLimits: Bool
        let largestBodyLimit: Int?
        let forwardAuth: ForwardAuthRoutes?
        let refusalPolicy: CORSPolicy?
    }

    /// Whether a host, in lower case, is a known authority; the default port may be written.
    package func knows(authority: String) -> Bool { resolver.site(named: authority) != nil }

    private func site(named authority: String) -> Site? {
        resolver.site(named: authority).map { sites[$0] }
    }

    /// Finds the route that answers a request.
    ///
    /// With one authority, `Host` is ignored: the server may have any internal name. With several, an unknown
    /// host gets 421. RFC 9110 §15.5.20.
    package func destination(
        _ method: Method, _ form: TargetForm = .origin, authority: @autoclosure () -> String,
        _ path: RequestPath, isPreflight: Bool = false
    ) -> (route: CompiledRoute, values: [Range<Int>]) {
        guard let site = only ?? site(named: authority()) else { return (misdirected, []) }
        if form == .asterisk { return (site.asterisk, []) }
        return site.destination(method, path, isPreflight: isPreflight)
    }
}
