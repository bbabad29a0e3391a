// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisHTTP

/// The declared routes of a server.
///
/// A literal segment of a path takes precedence over `{name}`, and `{name}` over a final `{name...}`. `GET`
/// answers `HEAD` too. A path without a route gets 404, an undeclared method of a path 405 with `Allow`.
///
/// A handler that does not wait is a closure without `await`: it runs at once, without a task. Both kinds run
/// on the event loop of their connection, and a handler that blocks delays the loop's other connections:
/// declare it in ``blocking(_:)``.
public struct Routes {
    /// A handler that does not wait.
    public typealias ImmediateHandler = @Sendable (Request) throws -> Response
    /// A handler that may wait.
    public typealias Handler = @Sendable (Request) async throws -> Response

    package enum Entry {
        case route(methods: [Method], path: String, RouteHandler, DeclaredRoute)
        case group(Routes)
        case protected(ProtectedRoutes)
        case forwardAuth(any ForwardAuthEndpoint)
    }

    package var prefix: String
    package var isBlocking: Bool
    package private(set) var entries: [Entry] = []
    package private(set) var terms = BlockTerms()
    /// The CORS policy of everything in this block, including protected blocks and groups without their own
    /// policy.
    ///
    /// Default `nil`: browsers let pages read metadata documents only.
    public var cors: CORSPolicy?

    /// Makes an empty declaration, for ``Server/init(validating:host:port:configuration:)``.
    public init() {
        self.init(prefix: "", isBlocking: false)
    }

    package init(prefix: String, isBlocking: Bool) {
        self.prefix = prefix
        self.isBlocking = isBlocking
    }

    /// Adds a middleware around everything in this block, declared before or after it.
    ///
    /// The first one is the outermost.
    public mutating func use(_ middleware: any Middleware) {
        terms.middleware.append(middleware)
    }

    /// Answers errors that are thrown in this block, by handlers and by middleware that waits.
    ///
    ///     routes.onError { error, _ in
    ///         guard error is OutOfStock else { return nil }
    ///         return .text("out of stock\n", status: .conflict)
    ///     }
    ///
    /// The innermost block answers first: that of the route, then its groups and its resource, and last the
    /// app's routes. `nil` passes the error outwards, and so does an error that the closure throws, in place of
    /// the first. Several closures of one block are asked in the order of declaration. Middleware that waits sees
    /// an error of what it surrounds unless a block further in has answered it.
    ///
    /// A body that is longer than the limit is `MalformedMessage.bodyTooLarge`, also if the declared length says
    /// so before the handler runs.
    ///
    /// An error that nothing answers gets the server's own response: 400, 408, 413, 415 or 422 for the
    /// library's errors about a request, 404 for a missing file, 503 for too many blocking handlers, and
    /// otherwise 500, with a line in the log that names the type of the error and nothing of its content.
    ///
    /// Refusals (`AccessToken.require(_:file:line:)`) never come here, since their challenge is part of the
    /// answer; nor do errors of a streamed response, whose head is made already, and cancellation.
    public mutating func onError(_ answer: @escaping DeclaredRoute.ErrorHandler) {
        terms.errorHandlers.append(answer)
    }

    /// The limits of the requests to this block, including protected blocks and groups without their own.
    ///
    /// Default: those of the enclosing block, and there the server's.
    public var limits: RouteLimits {
        get { terms.limits }
        set { terms.limits = newValue }
    }

    /// Answers some methods of a path with a handler that does not wait.
    @discardableResult
    public mutating func on(
        _ methods: [Method], _ path: String, _ handler: @escaping ImmediateHandler
    ) -> DeclaredRoute {
        add(methods, path, isBlocking ? .blocking(handler) : .immediate(handler))
    }

    /// Answers some methods of a path with a handler that may wait.
    @discardableResult
    @_disfavoredOverload
    public mutating func on(
        _ methods: [Method], _ path: String, _ handler: @escaping Handler
    ) -> DeclaredRoute {
        add(methods, path, .suspending(handler))
    }

    /// Answers some methods of a path with a handler that blocks its thread.
    @discardableResult
    @_disfavoredOverload
    public mutating func on(
        _ methods: [Method], _ path: String, blocking handler: @escaping ImmediateHandler
    ) -> DeclaredRoute {
        add(methods, path, .blocking(handler))
    }

    /// Answers some methods of a path with another server's responses.
    package mutating func relay(
        _ methods: [Method], _ path: String, _ relay: any Relay
    ) -> DeclaredRoute {
        add(methods, path, .relaying(relay))
    }

    /// Lets proxies ask at an endpoint about requests.
    package mutating func ask(at endpoint: any ForwardAuthEndpoint) {
        entries.append(.forwardAuth(endpoint))
    }

    private mutating func add(
        _ methods: [Method], _ path: String, _ handler: RouteHandler
    ) -> DeclaredRoute {
        let route = DeclaredRoute()
        entries.append(.route(methods: methods, path: prefix + path, handler, route))
        return route
    }

    /// Declares routes whose paths begin with a prefix, and which may have middleware, answers to errors and
    /// limits of their own.
    public mutating func group<Failure: Error>(
        _ prefix: String = "", _ declare: (inout Routes) throws(Failure) -> Void
    ) throws(Failure) {
        var group = Routes(prefix: self.prefix + prefix, isBlocking: isBlocking)
        try declare(&group)
        entries.append(.group(group))
    }

    /// Declares routes whose handlers block: each runs on its own thread and delays no other connection.
    ///
    /// At most 64 run at the same time; 4096 more wait for a thread, and the next is answered 503.
    public mutating func blocking<Failure: Error>(
        _ declare: (inout Routes) throws(Failure) -> Void
    ) throws(Failure) {
        var group = Routes(prefix: prefix, isBlocking: true)
        try declare(&group)
        entries.append(.group(group))
    }

    /// Protects a resource.
    ///
    /// Serves its metadata document, and answers every request at or below its path, declared or not, with a
    /// challenge unless it carries a token that the resource accepts. The routes in the block have paths
    /// relative to the resource, and their handlers receive the validated token.
    ///
    /// RFC 9728 §3, §5.
    public mutating func protect<Failure: Error>(
        _ resource: ProtectedResource, _ declare: (inout ProtectedRoutes) throws(Failure) -> Void
    ) throws(Failure) {
        var routes = ProtectedRoutes(resource: resource, isBlocking: isBlocking)
        try declare(&routes)
        entries.append(.protected(routes))
    }

    /// Protects a resource of which some routes need no token: requests without credentials pass to them, and
    /// their handlers receive `nil`.
    ///
    /// A request with credentials needs valid ones everywhere, as in ``protect(_:_:)``. A scheme that the
    /// resource does not accept is no credential. A route that is declared with a requirement, and every
    /// path without a route, need a token. The server logs each route without one when it starts.
    ///
    /// RFC 6750 §3.1, RFC 9728 §3, §5.
    public mutating func optionallyProtect<Failure: Error>(
        _ resource: ProtectedResource, _ declare: (inout OptionallyProtectedRoutes) throws(Failure) -> Void
    ) throws(Failure) {
        var routes = OptionallyProtectedRoutes(resource: resource, isBlocking: isBlocking)
        try declare(&routes)
        entries.append(.protected(routes.block))
    }
}

extension Routes {
    /// Answers `GET`, and `HEAD`, with a handler that does not wait.
    @discardableResult
    public mutating func get(_ path: String, _ handler: @escaping ImmediateHandler) -> DeclaredRoute {
        on([.get], path, handler)
    }

    /// Answers `GET`, and `HEAD`, with a handler that may wait.
    @discardableResult
    @_disfavoredOverload
    public mutating func get(_ path: String, _ handler: @escaping Handler) -> DeclaredRoute {
        on([.get], path, handler)
    }

    /// Answers `POST` with a handler that does not wait.
    @discardableResult
    public mutating func post(_ path: String, _ handler: @escaping ImmediateHandler) -> DeclaredRoute {
        on([.post], path, handler)
    }

    /// Answers `POST` with a handler that may wait.
    @discardableResult
    @_disfavoredOverload
    public mutating func post(_ path: String, _ handler: @escaping Handler) -> DeclaredRoute {
        on([.post], path, handler)
    }

    /// Answers `PUT` with a handler that does not wait.
    @discardableResult
    public mutating func put(_ path: String, _ handler: @escaping ImmediateHandler) -> DeclaredRoute {
        on([.put], path, handler)
    }

    /// Answers `PUT` with a handler that may wait.
    @discardableResult
    @_disfavoredOverload
    public mutating func put(_ path: String, _ handler: @escaping Handler) -> DeclaredRoute {
        on([.put], path, handler)
    }

    /// Answers `PATCH` with a handler that does not wait.
    @discardableResult
    public mutating func patch(_ path: String, _ handler: @escaping ImmediateHandler) -> DeclaredRoute {
        on([.patch], path, handler)
    }

    /// Answers `PATCH` with a handler that may wait.
    @discardableResult
    @_disfavoredOverload
    public mutating func patch(_ path: String, _ handler: @escaping Handler) -> DeclaredRoute {
        on([.patch], path, handler)
    }

    /// Answers `DELETE` with a handler that does not wait.
    @discardableResult
    public mutating func delete(_ path: String, _ handler: @escaping ImmediateHandler) -> DeclaredRoute {
        on([.delete], path, handler)
    }

    /// Answers `DELETE` with a handler that may wait.
    @discardableResult
    @_disfavoredOverload
    public mutating func delete(_ path: String, _ handler: @escaping Handler) -> DeclaredRoute {
        on([.delete], path, handler)
    }
}
