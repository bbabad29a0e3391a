// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisHTTP

/// The declared routes of a resource of which some routes need no token.
///
/// Like ``ProtectedRoutes``, but handlers receive `AccessToken?`. Without `requiring:`, the token is
/// optional; with it, the token is there, except for operations that are declared with
/// `RequestOperation.withOptionalToken(_:)`.
public struct OptionallyProtectedRoutes {
    /// A handler that does not wait.
    ///
    /// The token is `nil` for a request without credentials.
    public typealias ImmediateHandler = @Sendable (Request, AccessToken?) throws -> Response
    /// A handler that may wait.
    ///
    /// The token is `nil` for a request without credentials.
    public typealias Handler = @Sendable (Request, AccessToken?) async throws -> Response

    package internal(set) var block: ProtectedRoutes

    init(resource: ProtectedResource, isBlocking: Bool) {
        block = ProtectedRoutes(resource: resource, isBlocking: isBlocking)
        block.takesRequestsWithoutToken = true
    }

    /// What happens to a streamed response of this block when its token expires, leeway included.
    ///
    /// Default ``StreamExpiry/cut``. Responses to requests without a token are not limited.
    public var streamExpiry: StreamExpiry {
        get { block.streamExpiry }
        set { block.streamExpiry = newValue }
    }

    /// The CORS policy of this resource, refusals included; `nil` for the policy of the enclosing block.
    public var cors: CORSPolicy? {
        get { block.cors }
        set { block.cors = newValue }
    }

    /// Adds a middleware around the handlers of this block, after the gate.
    ///
    /// It finds the token, if there is one, in ``Request/token``.
    public mutating func use(_ middleware: any Middleware) { block.use(middleware) }

    /// Answers errors that are thrown in this block, by handlers and by middleware that waits.
    ///
    /// Works as ``Routes/onError(_:)``.
    public mutating func onError(_ answer: @escaping DeclaredRoute.ErrorHandler) { block.onError(answer) }

    /// The limits of the requests to this block.
    ///
    /// Default: those of the enclosing block, and there the server's.
    public var limits: RouteLimits {
        get { block.limits }
        set { block.limits = newValue }
    }

    /// Declares routes of the resource whose paths begin with a prefix, and which may have a requirement,
    /// middleware, answers to errors and limits of their own.
    ///
    /// - Parameters:
    ///   - prefix: The beginning of the paths, below the resource. Default: none.
    ///   - requirement: What a token must carry for every route here, in addition to what the route requires.
    ///     With a requirement, the token is there. Default: there may be no token.
    ///   - declare: Adds the routes.
    public mutating func group<Failure: Error>(
        _ prefix: String = "", requiring requirement: AccessRequirement = .validTokenOrNone,
        _ declare: (inout OptionallyProtectedRoutes) throws(Failure) -> Void
    ) throws(Failure) {
        try block.group(prefix, requiring: requirement) { group throws(Failure) in
            var routes = OptionallyProtectedRoutes(group)
            try declare(&routes)
            group = routes.block
        }
    }

    private init(_ block: ProtectedRoutes) {
        self.block = block
    }

    /// Answers some methods of a path with a handler that does not wait.
    ///
    /// - Parameters:
    ///   - methods: The methods.
    ///   - path: The path below the resource, with `{name}` for a segment.
    ///   - requirement: What the token must carry. Default: there may be no token.
    ///   - handler: Makes the response on the event loop, so it must not block.
    @discardableResult
    public mutating func on(
        _ methods: [Method], _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping ImmediateHandler
    ) -> DeclaredRoute {
        let respond: @Sendable (Request) throws -> Response = { try handler($0, $0.token) }
        return block.declare(
            methods, path, requirement, block.isBlocking ? .blocking(respond) : .immediate(respond))
    }

    /// Answers some methods of a path with a handler that may wait.
    @discardableResult
    @_disfavoredOverload
    public mutating func on(
        _ methods: [Method], _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping Handler
    ) -> DeclaredRoute {
        let respond: @Sendable (Request) async throws -> Response = { try await handler($0, $0.token) }
        return block.declare(methods, path, requirement, .suspending(respond))
    }

    /// Answers some methods of a path with a handler that blocks its thread.
    @discardableResult
    @_disfavoredOverload
    public mutating func on(
        _ methods: [Method], _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        blocking handler: @escaping ImmediateHandler
    ) -> DeclaredRoute {
        block.declare(methods, path, requirement, .blocking { try handler($0, $0.token) })
    }
}

extension OptionallyProtectedRoutes {
    /// Answers `GET`, and `HEAD`, with a handler that does not wait.
    @discardableResult
    public mutating func get(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping ImmediateHandler
    ) -> DeclaredRoute { on([.get], path, requiring: requirement, handler) }

    /// Answers `GET`, and `HEAD`, with a handler that may wait.
    @discardableResult
    @_disfavoredOverload
    public mutating func get(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping Handler
    ) -> DeclaredRoute { on([.get], path, requiring: requirement, handler) }

    /// Answers `POST` with a handler that does not wait.
    @discardableResult
    public mutating func post(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping ImmediateHandler
    ) -> DeclaredRoute { on([.post], path, requiring: requirement, handler) }

    /// Answers `POST` with a handler that may wait.
    @discardableResult
    @_disfavoredOverload
    public mutating func post(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping Handler
    ) -> DeclaredRoute { on([.post], path, requiring: requirement, handler) }

    /// Answers `PUT` with a handler that does not wait.
    @discardableResult
    public mutating func put(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping ImmediateHandler
    ) -> DeclaredRoute { on([.put], path, requiring: requirement, handler) }

    /// Answers `PUT` with a handler that may wait.
    @discardableResult
    @_disfavoredOverload
    public mutating func put(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping Handler
    ) -> DeclaredRoute { on([.put], path, requiring: requirement, handler) }

    /// Answers `PATCH` with a handler that does not wait.
    @discardableResult
    public mutating func patch(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping ImmediateHandler
    ) -> DeclaredRoute { on([.patch], path, requiring: requirement, handler) }

    /// Answers `PATCH` with a handler that may wait.
    @discardableResult
    @_disfavoredOverload
    public mutating func patch(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping Handler
    ) -> DeclaredRoute { on([.patch], path, requiring: requirement, handler) }

    /// Answers `DELETE` with a handler that does not wait.
    @discardableResult
    public mutating func delete(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping ImmediateHandler
    ) -> DeclaredRoute { on([.delete], path, requiring: requirement, handler) }

    /// Answers `DELETE` with a handler that may wait.
    @discardableResult
    @_disfavoredOverload
    public mutating func delete(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping Handler
    ) -> DeclaredRoute { on([.delete], path, requiring: requirement, handler) }
}
