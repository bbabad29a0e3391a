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
    package private(set) var middleware: [any Middleware] = []
    /// The CORS policy of this resource, refusals included; `nil` for the policy of the enclosing block.
    ///
    /// The server answers preflights before the gate, in the same way for every path below the resource.
    public var cors: CORSPolicy?

    init(resource: ProtectedResource, isBlocking: Bool) {
        self.resource = resource
        self.isBlocking = isBlocking
    }

    /// Adds a middleware around the handlers of this block, after the gate.
    public mutating func use(_ middleware: any Middleware) {
        self.middleware.append(middleware)
    }

    /// Answers some methods of a path with a handler that does not wait.
    ///
    /// - Parameters:
    ///   - methods: The methods.
    ///   - path: The path below the resource, with `{name}` for a segment.
    ///   - requirement: What the token must carry. `AccessRequirement.anyValidToken` requires a valid token.
    ///   - handler: Makes the response on the event loop, so it must not block.
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

    /// Answers some methods of a path with a handler that blocks its thread.
    @_disfavoredOverload
    public mutating func on(
        _ methods: [Method], _ path: String, requiring requirement: AccessRequirement = .anyValidToken,
        blocking handler: @escaping ImmediateHandler
    ) {
        add(methods, path, requirement, .blocking(guarded(handler)))
    }

    /// Answers some methods of a path with another server's responses.
    package mutating func relay(
        _ methods: [Method], _ path: String, requiring requirement: AccessRequirement, _ relay: any Relay
    ) {
        add(methods, path, requirement, .relaying(relay))
    }

    /// Adds a route whose handler takes the token from the request.
    package mutating func add(
        _ methods: [Method], _ path: String, _ requirement: AccessRequirement, _ handler: RouteHandler
    ) {
        entries.append(Entry(methods: methods, path: path, requirement: requirement, handler: handler))
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
