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
    public mutating func use(_ middleware: any Middleware) { block.use(middleware) }

    /// Answers some methods of a path with a handler that does not wait.
    ///
    /// - Parameters:
    ///   - methods: The methods.
    ///   - path: The path below the resource, with `{name}` for a segment.
    ///   - requirement: What the token must carry. Default: there may be no token.
    ///   - handler: Makes the response on the event loop, so it must not block.
    public mutating func on(
        _ methods: [Method], _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping ImmediateHandler
    ) {
        let respond: @Sendable (Request) throws -> Response = { try handler($0, $0.token) }
        block.add(methods, path, requirement, block.isBlocking ? .blocking(respond) : .immediate(respond))
    }

    /// Answers some methods of a path with a handler that may wait.
    @_disfavoredOverload
    public mutating func on(
        _ methods: [Method], _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping Handler
    ) {
        let respond: @Sendable (Request) async throws -> Response = { try await handler($0, $0.token) }
        block.add(methods, path, requirement, .suspending(respond))
    }

    /// Answers some methods of a path with a handler that blocks its thread.
    @_disfavoredOverload
    public mutating func on(
        _ methods: [Method], _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        blocking handler: @escaping ImmediateHandler
    ) {
        block.add(methods, path, requirement, .blocking { try handler($0, $0.token) })
    }
}

extension OptionallyProtectedRoutes {
    /// Answers `GET`, and `HEAD`, with a handler that does not wait.
    public mutating func get(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping ImmediateHandler
    ) { on([.get], path, requiring: requirement, handler) }

    /// Answers `GET`, and `HEAD`, with a handler that may wait.
    @_disfavoredOverload
    public mutating func get(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping Handler
    ) { on([.get], path, requiring: requirement, handler) }

    /// Answers `POST` with a handler that does not wait.
    public mutating func post(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping ImmediateHandler
    ) { on([.post], path, requiring: requirement, handler) }

    /// Answers `POST` with a handler that may wait.
    @_disfavoredOverload
    public mutating func post(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping Handler
    ) { on([.post], path, requiring: requirement, handler) }

    /// Answers `PUT` with a handler that does not wait.
    public mutating func put(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping ImmediateHandler
    ) { on([.put], path, requiring: requirement, handler) }

    /// Answers `PUT` with a handler that may wait.
    @_disfavoredOverload
    public mutating func put(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping Handler
    ) { on([.put], path, requiring: requirement, handler) }

    /// Answers `PATCH` with a handler that does not wait.
    public mutating func patch(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping ImmediateHandler
    ) { on([.patch], path, requiring: requirement, handler) }

    /// Answers `PATCH` with a handler that may wait.
    @_disfavoredOverload
    public mutating func patch(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping Handler
    ) { on([.patch], path, requiring: requirement, handler) }

    /// Answers `DELETE` with a handler that does not wait.
    public mutating func delete(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping ImmediateHandler
    ) { on([.delete], path, requiring: requirement, handler) }

    /// Answers `DELETE` with a handler that may wait.
    @_disfavoredOverload
    public mutating func delete(
        _ path: String, requiring requirement: AccessRequirement = .validTokenOrNone,
        _ handler: @escaping Handler
    ) { on([.delete], path, requiring: requirement, handler) }
}
