// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisHTTP

/// The routes of one protected resource, as they are declared.
///
/// Paths are relative to the resource and begin with a slash: `/` is the resource itself.
///
/// Every handler receives the token that the gate has validated. There is no spelling for a route without one.
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
    }

    /// What becomes of a streamed answer of this block when the token that opened it expires, leeway included.
    ///
    /// Default ``StreamExpiry/cut``.
    public var streamExpiry = StreamExpiry.cut

    package let resource: ProtectedResource
    package var isBlocking: Bool
    /// Whether the paths of the routes are those on the host, that of the resource included.
    package var hasWholePaths = false
    package private(set) var entries: [Entry] = []
    package private(set) var middleware: [any Middleware] = []
    /// Which web pages may call this resource and read its answers, refusals too; nothing for that of the block around it.
    ///
    /// Preflights are answered before the gate, for every path below the resource alike.
    public var cors: CORSPolicy?

    init(resource: ProtectedResource, isBlocking: Bool) {
        self.resource = resource
        self.isBlocking = isBlocking
    }

    /// Adds a middleware around the handlers of this block, behind the gate.
    public mutating func use(_ middleware: any Middleware) {
        self.middleware.append(middleware)
    }

    /// Answers some methods of a path with a handler that does not wait.
    ///
    /// - Parameters:
    ///   - methods: The methods.
    ///   - path: The path below the resource, with `{name}` for a segment.
    ///   - requirement: What the token must carry. `AccessRequirement.anyValidToken` still demands a valid token.
    ///   - handler: Makes the answer on the event loop, so it must not block.
    public mutating func on(
        _ methods: [Method], _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping ImmediateHandler
    ) {
        add(
            methods, path, requirement,
            (isBlocking ? RouteHandler.blocking : RouteHandler.immediate)(guarded(handler)))
    }

    /// Answers some methods of a path with a handler that may wait.
    @_disfavoredOverload
    public mutating func on(
        _ methods: [Method], _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping Handler
    ) {
        let suspending: @Sendable (Request) async throws -> Response = { request in
            try await handler(request, Self.token(of: request))
        }
        add(methods, path, requirement, .suspending(suspending))
    }

    /// Answers some methods of a path with a handler that holds its thread.
    @_disfavoredOverload
    public mutating func on(
        _ methods: [Method], _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        blocking handler: @escaping ImmediateHandler
    ) {
        add(methods, path, requirement, .blocking(guarded(handler)))
    }

    private mutating func add(
        _ methods: [Method], _ path: String, _ requirement: AccessRequirement, _ handler: RouteHandler
    ) {
        entries.append(Entry(methods: methods, path: path, requirement: requirement, handler: handler))
    }

    private func guarded(_ handler: @escaping ImmediateHandler) -> @Sendable (Request) throws -> Response {
        { request in try handler(request, Self.token(of: request)) }
    }

    /// The token that the gate put there.
    ///
    /// A middleware that passed on another request than it got has lost it: then nobody gets in.
    private static func token(of request: Request) throws -> AccessToken {
        guard let token = request.token else { throw TokenMissing() }
        return token
    }

    private struct TokenMissing: Error {}
}

extension ProtectedRoutes {
    /// Answers `GET`, and `HEAD`, with a handler that does not wait.
    public mutating func get(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping ImmediateHandler
    ) { on([.get], path, requiring: requirement, handler) }

    /// Answers `GET`, and `HEAD`, with a handler that may wait.
    @_disfavoredOverload
    public mutating func get(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping Handler
    ) { on([.get], path, requiring: requirement, handler) }

    /// Answers `POST` with a handler that does not wait.
    public mutating func post(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping ImmediateHandler
    ) { on([.post], path, requiring: requirement, handler) }

    /// Answers `POST` with a handler that may wait.
    @_disfavoredOverload
    public mutating func post(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping Handler
    ) { on([.post], path, requiring: requirement, handler) }

    /// Answers `PUT` with a handler that does not wait.
    public mutating func put(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping ImmediateHandler
    ) { on([.put], path, requiring: requirement, handler) }

    /// Answers `PUT` with a handler that may wait.
    @_disfavoredOverload
    public mutating func put(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping Handler
    ) { on([.put], path, requiring: requirement, handler) }

    /// Answers `PATCH` with a handler that does not wait.
    public mutating func patch(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping ImmediateHandler
    ) { on([.patch], path, requiring: requirement, handler) }

    /// Answers `PATCH` with a handler that may wait.
    @_disfavoredOverload
    public mutating func patch(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping Handler
    ) { on([.patch], path, requiring: requirement, handler) }

    /// Answers `DELETE` with a handler that does not wait.
    public mutating func delete(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping ImmediateHandler
    ) { on([.delete], path, requiring: requirement, handler) }

    /// Answers `DELETE` with a handler that may wait.
    @_disfavoredOverload
    public mutating func delete(
        _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        _ handler: @escaping Handler
    ) { on([.delete], path, requiring: requirement, handler) }
}
