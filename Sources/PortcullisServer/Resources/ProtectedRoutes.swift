// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisHTTP

/// The declared routes of one protected resource.
///
/// Paths are relative to the resource and begin with a slash: `/` is the resource itself.
///
/// Every handler receives the validated token. A route without a token cannot be declared here.
public struct ProtectedRoutes {
    /// A handler that does not wait.
    public typealias ImmediateHandler = @Sendable (Request, AccessToken) throws -> Response
    /// A handler that may wait.
    public typealias Handler = @Sendable (Request, AccessToken) async throws -> Response

    package struct Entry {
        let methods: [Method]
        let path: String
        let requirement: AccessRequirement
        let handler: RouteHandler
        let route: DeclaredRoute?
        /// The groups around it, by their places in ``ProtectedRoutes/groups``, outermost first.
        var groups: [Int] = []
    }

    /// What happens to a streamed response of this block when its token expires, leeway included.
    ///
    /// Default ``StreamExpiry/cut``.
    public var streamExpiry = StreamExpiry.cut

    package let resource: ProtectedResource
    package var isBlocking: Bool
    /// Whether the paths of the routes are absolute, including the path of the resource.
    package var hasWholePaths = false
    /// Whether handlers take requests without a token, where the requirement lets those pass.
    package var takesRequestsWithoutToken = false
    package private(set) var entries: [Entry] = []
    /// The groups in this block, each before those inside it.
    package private(set) var groups: [BlockTerms] = []
    package private(set) var terms = BlockTerms()
    /// What the paths in a group begin with.
    package private(set) var prefix = ""
    /// What the enclosing groups demand of each route.
    private var common: AccessRequirement?
    /// Sentences about declarations that contradict each other.
    package private(set) var contradictions: [String] = []
    /// The CORS policy of this resource, refusals included; `nil` for the policy of the enclosing block.
    ///
    /// The server answers preflights before the gate, in the same way for every path below the resource.
    public var cors: CORSPolicy?

    init(resource: ProtectedResource, isBlocking: Bool) {
        self.resource = resource
        self.isBlocking = isBlocking
    }

    /// Adds a middleware around the handlers of this block, after the gate.
    ///
    /// It finds the token in ``Request/token``.
    public mutating func use(_ middleware: any Middleware) {
        terms.middleware.append(middleware)
    }

    /// Answers errors that are thrown in this block, by handlers and by middleware that waits.
    ///
    /// Works as ``Routes/onError(_:)``. The token is in ``Request/token``.
    public mutating func onError(_ answer: @escaping DeclaredRoute.ErrorHandler) {
        terms.errorHandlers.append(answer)
    }

    /// The limits of the requests to this block.
    ///
    /// Default: those of the enclosing block, and there the server's. A path of the resource without a route
    /// has the server's.
    public var limits: RouteLimits {
        get { terms.limits }
        set { terms.limits = newValue }
    }

    /// Declares routes of the resource whose paths begin with a prefix, and which may have a requirement,
    /// middleware, answers to errors and limits of their own.
    ///
    ///     notes.group("/{id}", requiring: "notes:admin") { note in
    ///         note.delete("/") { request, _ in try remove(request.parameters["id"]) }
    ///     }
    ///
    /// The path `/` in a group with a prefix is the prefix itself. ``cors`` and ``streamExpiry`` are those of
    /// the resource.
    ///
    /// - Parameters:
    ///   - prefix: The beginning of the paths, below the resource. Default: none.
    ///   - requirement: What a token must carry for every route here, in addition to what the route and the
    ///     enclosing groups require. Requirements that no single challenge can express, such as two
    ///     alternatives of scopes, are a mistake in the declaration. Default: nothing.
    ///   - declare: Adds the routes.
    public mutating func group<Failure: Error>(
        _ prefix: String = "", requiring requirement: AccessRequirement = .anyValidToken,
        _ declare: (inout ProtectedRoutes) throws(Failure) -> Void
    ) throws(Failure) {
        var group = ProtectedRoutes(resource: resource, isBlocking: isBlocking)
        group.hasWholePaths = hasWholePaths
        group.takesRequestsWithoutToken = takesRequestsWithoutToken
        group.prefix = self.prefix + prefix
        group.common = combined(requirement, group.prefix)
        try declare(&group)
        let place = groups.count
        groups += [group.terms] + group.groups
        contradictions += group.contradictions
        for var entry in group.entries {
            entry.groups = [place] + entry.groups.map { place + 1 + $0 }
            entries.append(entry)
        }
    }

    /// A requirement together with those of the groups.
    private mutating func combined(_ requirement: AccessRequirement, _ path: String) -> AccessRequirement {
        guard let common else { return requirement }
        if let both = common.and(requirement) { return both }
        contradictions.append(
            "\(path) requires what cannot be required together with its group's requirement")
        return requirement
    }

    /// Answers some methods of a path with a handler that does not wait.
    ///
    /// - Parameters:
    ///   - methods: The methods.
    ///   - path: The path below the resource, with `{name}` for a segment.
    ///   - requirement: What the token must carry. `AccessRequirement.anyValidToken` requires a valid token.
    ///   - handler: Makes the response on the event loop, so it must not block.
    @discardableResult
    public mutating func on(
        _ methods: [Method], _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping ImmediateHandler
    ) -> DeclaredRoute {
        declare(
            methods, path, requirement,
            (isBlocking ? RouteHandler.blocking : RouteHandler.immediate)(guarded(handler)))
    }

    /// Answers some methods of a path with a handler that may wait.
    @discardableResult
    @_disfavoredOverload
    public mutating func on(
        _ methods: [Method], _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping Handler
    ) -> DeclaredRoute {
        let suspending: @Sendable (Request) async throws -> Response = { request in
            try await handler(request, Self.token(of: request))
        }
        return declare(methods, path, requirement, .suspending(suspending))
    }

    /// Answers some methods of a path with a handler that blocks its thread.
    @discardableResult
    @_disfavoredOverload
    public mutating func on(
        _ methods: [Method], _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        blocking handler: @escaping ImmediateHandler
    ) -> DeclaredRoute {
        declare(methods, path, requirement, .blocking(guarded(handler)))
    }

    /// Answers some methods of a path with another server's responses.
    package mutating func relay(
        _ methods: [Method], _ path: String, requiring requirement: AccessRequirement, _ relay: any Relay
    ) -> DeclaredRoute {
        declare(methods, path, requirement, .relaying(relay))
    }

    /// Adds a route whose handler takes the token from the request.
    package mutating func declare(
        _ methods: [Method], _ path: String, _ requirement: AccessRequirement, _ handler: RouteHandler
    ) -> DeclaredRoute {
        let route = DeclaredRoute()
        add(methods, path, requirement, handler, route)
        return route
    }

    /// Adds a route whose handler takes the token from the request.
    ///
    /// - Parameter route: What concerns the route alone. Default: nothing.
    package mutating func add(
        _ methods: [Method], _ path: String, _ requirement: AccessRequirement, _ handler: RouteHandler,
        _ route: DeclaredRoute? = nil
    ) {
        let path = inGroup(path)
        let requirement = combined(requirement, path)
        entries.append(
            Entry(methods: methods, path: path, requirement: requirement, handler: handler, route: route))
    }

    /// A path with the prefix of the group; `/` is the prefix itself.
    package func inGroup(_ path: String) -> String {
        prefix.isEmpty || path != "/" ? prefix + path : prefix
    }

    private func guarded(_ handler: @escaping ImmediateHandler) -> @Sendable (Request) throws -> Response {
        { request in try handler(request, Self.token(of: request)) }
    }

    /// The token that the gate has stored in the request.
    ///
    /// A middleware that passes on another request than it received loses the token: then access is refused.
    package static func token(of request: Request) throws -> AccessToken {
        guard let token = request.token else { throw TokenMissing() }
        return token
    }

    private struct TokenMissing: Error {}
}

extension ProtectedRoutes {
    /// Answers `GET`, and `HEAD`, with a handler that does not wait.
    @discardableResult
    public mutating func get(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping ImmediateHandler
    ) -> DeclaredRoute { on([.get], path, requiring: requirement, handler) }

    /// Answers `GET`, and `HEAD`, with a handler that may wait.
    @discardableResult
    @_disfavoredOverload
    public mutating func get(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping Handler
    ) -> DeclaredRoute { on([.get], path, requiring: requirement, handler) }

    /// Answers `POST` with a handler that does not wait.
    @discardableResult
    public mutating func post(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping ImmediateHandler
    ) -> DeclaredRoute { on([.post], path, requiring: requirement, handler) }

    /// Answers `POST` with a handler that may wait.
    @discardableResult
    @_disfavoredOverload
    public mutating func post(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping Handler
    ) -> DeclaredRoute { on([.post], path, requiring: requirement, handler) }

    /// Answers `PUT` with a handler that does not wait.
    @discardableResult
    public mutating func put(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping ImmediateHandler
    ) -> DeclaredRoute { on([.put], path, requiring: requirement, handler) }

    /// Answers `PUT` with a handler that may wait.
    @discardableResult
    @_disfavoredOverload
    public mutating func put(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping Handler
    ) -> DeclaredRoute { on([.put], path, requiring: requirement, handler) }

    /// Answers `PATCH` with a handler that does not wait.
    @discardableResult
    public mutating func patch(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping ImmediateHandler
    ) -> DeclaredRoute { on([.patch], path, requiring: requirement, handler) }

    /// Answers `PATCH` with a handler that may wait.
    @discardableResult
    @_disfavoredOverload
    public mutating func patch(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping Handler
    ) -> DeclaredRoute { on([.patch], path, requiring: requirement, handler) }

    /// Answers `DELETE` with a handler that does not wait.
    @discardableResult
    public mutating func delete(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping ImmediateHandler
    ) -> DeclaredRoute { on([.delete], path, requiring: requirement, handler) }

    /// Answers `DELETE` with a handler that may wait.
    @discardableResult
    @_disfavoredOverload
    public mutating func delete(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping Handler
    ) -> DeclaredRoute { on([.delete], path, requiring: requirement, handler) }
}
