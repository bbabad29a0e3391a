// SPDX-License-Identifier: MIT

import PortcullisHTTP
import Synchronization

/// The gate for the routes of another server: the resources, and what groups of routes require.
///
/// An adapter calls ``decide(method:authority:target:fields:route:in:)`` once for each request, before any
/// handler, and passes the pattern of the route that matches. It fails closed: a path below a resource needs
/// a token whether or not it has a route, and a route below a resource is 404 for requests that belong to no
/// resource.
///
///     let routes = GuardedRoutes(resources)
///     routes.require("notes:read", toWrite: "notes:write", below: "/notes")
///     let decision = await routes.decide(
///         method: "GET", target: "/notes/7", fields: […], route: "/notes/{id}")
///
/// RFC 6750 §3, RFC 9728 §5.
public final class GuardedRoutes: Sendable {
    private struct Group {
        let segments: [Substring]
        let reading: AccessRequirement
        let writing: AccessRequirement
    }

    /// The resources; replace them while requests are served with ``ResourceRegistry/replace(_:)``.
    public let resources: ResourceRegistry
    /// The groups with the longest patterns first.
    private let groups = Mutex<[Group]>([])

    /// Makes a gate without groups: every path below a resource needs a valid token.
    public init(_ resources: ResourceRegistry) {
        self.resources = resources
    }

    /// Declares what the routes below a pattern require; the group with the longest matching pattern decides.
    ///
    /// Call it before requests are served. A pattern that is declared again gets the new requirement.
    ///
    /// - Parameters:
    ///   - reading: The requirement of `GET` and `HEAD`.
    ///   - writing: The requirement of other methods; `nil` for the same.
    ///   - pattern: The beginning of routes' patterns by whole segments, such as `/notes` or
    ///     `/notes/{id}/shares`.
    public func require(
        _ reading: AccessRequirement, toWrite writing: AccessRequirement? = nil, below pattern: String
    ) {
        let group = Group(segments: Self.segments(pattern), reading: reading, writing: writing ?? reading)
        groups.withLock { groups in
            groups.removeAll { $0.segments == group.segments }
            groups.append(group)
            groups.sort { $0.segments.count > $1.segments.count }
        }
    }

    /// Decides about a request: returns its complete answer, or says that its handler answers.
    ///
    /// Takes the head by its parts, as swift-http-types' `HTTPRequest` and similar types have them, so that
    /// an adapter needs no conversion that can fail: a request whose parts
    /// `RequestHead.init(method:authority:target:fields:)` rejects is answered with the status of the error.
    /// Reads the registry once, so that the whole decision comes from one snapshot. May wait as
    /// ``ProtectedResource/authorize(_:requiring:in:)`` does.
    ///
    /// - Parameters:
    ///   - method: The name of the method.
    ///   - authority: The authority; `nil` if it is in a `Host` field, or unknown.
    ///   - target: The request target with its query and its encoding; `nil` only for `CONNECT`.
    ///   - fields: The names and values of the field lines, in order.
    ///   - route: The pattern of the matching route; `nil` if there is none.
    ///   - context: What is known about the request in addition to its head.
    ///
    /// RFC 6750 §3, RFC 9728 §3, §5.
    public func decide(
        method: String, authority: String? = nil, target: String?,
        fields: some Sequence<(String, String)>, route: String?,
        in context: AuthorizationContext = AuthorizationContext()
    ) async -> GateDecision {
        do throws(MalformedMessage) {
            let head = try RequestHead(method: method, authority: authority, target: target, fields: fields)
            let requirement = route.flatMap { self.requirement(of: head.method, $0) }
            return try await resources.current.decide(
                head, requiring: requirement, route: route.map(Self.segments), in: context)
        } catch {
            return .answered(GateAnswer(error.status))
        }
    }

    private func requirement(of method: Method, _ route: String) -> AccessRequirement? {
        let segments = Self.segments(route)
        let group = groups.withLock { groups in groups.first { segments.starts(with: $0.segments) } }
        return method == .get || method == .head ? group?.reading : group?.writing
    }

    private static func segments(_ pattern: String) -> [Substring] { pattern.split(separator: "/") }
}

extension ResourceRegistry.Snapshot {
    /// Decides about a request to a guarded route, or to any other path if the requirement is `nil`.
    ///
    /// - Throws: `MalformedMessage` as ``resource(for:)`` does.
    fileprivate func decide(
        _ head: RequestHead, requiring requirement: AccessRequirement?, route: [Substring]?,
        in context: AuthorizationContext
    ) async throws(MalformedMessage) -> GateDecision {
        // RFC 9728 §3.1: documents need no token, even below a resource that owns all paths.
        if let document = metadataResponse(to: head) { return .answered(GateAnswer(document)) }
        guard let resource = try resource(for: head) else {
            let isGuarded = requirement != nil || route.map { hasResource(above: $0) } ?? false
            return isGuarded ? .answered(GateAnswer(.notFound)) : .unguarded
        }
        do throws(Refusal) {
            let token = try await resource.authorizeOptionally(
                head, requiring: requirement ?? .anyValidToken, in: context)
            return .admitted(AdmittedRequest(head, to: resource, with: token, in: context))
        } catch {
            return .answered(GateAnswer(error, to: head, link: resource.metadataLink))
        }
    }

    /// Whether a route's pattern is below a resource's path, without regard to case.
    ///
    /// Some servers match routes without regard to case: `/NOTES/7`, which belongs to no resource, gets to
    /// the handlers of `/notes/{id}`.
    private func hasResource(above route: [Substring]) -> Bool {
        let route = route.map { $0.lowercased() }
        return resources.contains { resource in
            route.starts(with: resource.identifier.path.lowercased().split(separator: "/").map(String.init))
        }
    }
}
