// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE

/// The resources of a file by their paths, so that the owner of a route is found without comparing it with
/// every resource.
///
/// RFC 9728 §3.
struct ResourcePlaces {
    private struct Place {
        /// The first resource at the path without a slash at its end, by index.
        var exact: Int?
        /// The first resource whose path ends with a slash: it owns only paths below.
        var withSlash: Int?

        /// The first resource that owns a path of so many further segments.
        func owner(ofFurther count: Int) -> Int? {
            guard count > 0, let withSlash else { return exact }
            return min(exact ?? withSlash, withSlash)
        }
    }

    private var places: [String: Place] = [:]
    /// The number of segments of the longest path.
    private var longest = 0

    /// - Parameter authority: What must be equal besides the path.
    init(_ resources: [ResourceSettings], authority: (HTTPURL) -> String) {
        places.reserveCapacity(resources.count)
        for index in resources.indices {
            let url = resources[index].url
            var segments = url.segments
            let hasSlash = segments.last == ""
            if hasSlash { segments.removeLast() }
            let isOpen = hasSlash && !segments.isEmpty
            longest = max(longest, segments.count)
            let key = segments.reduce(authority(url)) { "\($0)/\($1)" }
            var place = places[key] ?? Place()
            if isOpen {
                place.withSlash = place.withSlash ?? index
            } else {
                place.exact = place.exact ?? index
            }
            places[key] = place
        }
    }

    /// Whether a path of the file is longer than `base`.
    func reach(below base: [String]) -> Bool { longest > Self.length(of: base) }

    /// The number of segments, without a slash at the end.
    private static func length(of base: [String]) -> Int {
        base.last == "" ? base.count - 1 : base.count
    }

    /// The resource with the longest path above or at a route's, if that is longer than `base`.
    func owner(of route: [String], within authority: String, below base: [String]) -> Int? {
        let least = Self.length(of: base)
        var owner: Int?
        visit(route, from: authority) { count, place in
            if count > least, let found = place.owner(ofFurther: route.count - count) { owner = found }
        }
        return owner
    }

    /// The first resource of the file whose path is above or at a route's.
    func first(above route: [String]) -> Int? {
        var first: Int?
        visit(route, from: "") { count, place in
            guard let found = place.owner(ofFurther: route.count - count) else { return }
            first = min(first ?? found, found)
        }
        return first
    }

    /// Calls a closure with each place above or at a route's path, the shortest path first.
    private func visit(_ route: [String], from authority: String, _ body: (Int, Place) -> Void) {
        var key = authority
        if let place = places[key] { body(0, place) }
        for (index, segment) in route.prefix(longest).enumerated() {
            key += "/" + segment
            if let place = places[key] { body(index + 1, place) }
        }
    }
}

/// The authorization servers of a file by their issuers, byte for byte.
struct ServerIndex {
    /// One server, and what the checks of each resource that trusts it need to know.
    final class Entry: Sendable {
        let settings: AuthorizationServerSettings
        let hasKeys: Bool
        let introspects: Bool
        let trustsEveryTenant: Bool
        let hasAudienceSource: Bool
        /// The algorithms that one of its fixed keys verifies; `nil` without fixed keys.
        let verifiable: [SignatureAlgorithm]?

        init(_ settings: AuthorizationServerSettings) {
            self.settings = settings
            hasKeys = settings.hasKeys
            introspects = settings.introspection != nil
            trustsEveryTenant = IssuerPattern.isPattern(settings.issuer) && settings.tenants == nil
            hasAudienceSource = settings.claims.audienceSource != nil
            let keys = settings.jwks?.keys ?? []
            verifiable =
                keys.isEmpty
                ? nil
                : SignatureAlgorithm.allCases.filter { algorithm in
                    keys.contains { $0.canVerify(algorithm) }
                }
        }
    }

    private let servers: [ExactText: Entry]

    init(_ servers: [AuthorizationServerSettings]) {
        self.servers = Dictionary(servers.map { (ExactText($0.issuer), Entry($0)) }) { first, _ in first }
    }

    subscript(issuer: String) -> Entry? { servers[ExactText(issuer)] }
}
