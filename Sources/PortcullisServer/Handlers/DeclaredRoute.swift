// SPDX-License-Identifier: MIT

internal import Synchronization

/// A route that was just declared, for what concerns it alone.
///
///     routes.post("/photos") { request in try await store(request) }
///         .limits.maxBodyByteCount = 5 << 20
///
/// Ignore it if there is nothing to add. What is added after a server was made has no effect.
public final class DeclaredRoute: Sendable {
    /// Answers an error, or returns `nil` to pass it on to the enclosing block.
    ///
    /// Runs on the event loop, so it must not block. An error that it throws is passed on instead.
    public typealias ErrorHandler = @Sendable (any Error, Request) throws -> Response?

    private let state = Mutex(BlockTerms())

    package init() {}

    /// Answers the errors that the handler throws, before the enclosing blocks can.
    ///
    /// See ``Routes/onError(_:)``.
    @discardableResult
    public func onError(_ answer: @escaping ErrorHandler) -> DeclaredRoute {
        state.withLock { $0.errorHandlers.append(answer) }
        return self
    }

    /// The limits of this route.
    ///
    /// Default: those of the enclosing block.
    public var limits: RouteLimits {
        get { state.withLock { $0.limits } }
        set { state.withLock { $0.limits = newValue } }
    }

    package var terms: BlockTerms { state.withLock { $0 } }
}

/// What a block of routes adds around them.
package struct BlockTerms: Sendable {
    /// The middleware, outermost first.
    package var middleware: [any Middleware] = []
    /// What answers errors, in the order of declaration.
    package var errorHandlers: [DeclaredRoute.ErrorHandler] = []
    package var limits = RouteLimits()

    package init() {}

    /// Whether it leaves the chain of its routes as it is.
    var leavesChain: Bool { middleware.isEmpty && errorHandlers.isEmpty }
}
