// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisHTTP

extension Routes {
    /// Answers a path with another server's responses.
    ///
    /// - Parameters:
    ///   - path: The path, usually with a final `{rest...}`.
    ///   - methods: The methods. Default `nil`: every method but CONNECT and TRACE.
    ///   - proxy: The proxy. Its identity fields are all empty.
    ///
    /// RFC 9110 §7.6.
    @discardableResult
    public mutating func proxy(
        _ path: String, methods: [Method]? = nil, to proxy: ReverseProxy
    ) -> DeclaredRoute {
        relay(methods ?? [.everyMethod], path, ProxyRelay(proxy, for: nil, path: prefix + path))
    }
}

extension ProtectedRoutes {
    /// Answers a path with another server's responses, for tokens that meet the requirement.
    ///
    /// - Parameters:
    ///   - path: The path below the resource, usually with a final `{rest...}`.
    ///   - methods: The methods. Default `nil`: every method but CONNECT and TRACE.
    ///   - requirement: What the token must carry.
    ///   - proxy: The proxy.
    ///
    /// RFC 9110 §7.6.
    @discardableResult
    public mutating func proxy(
        _ path: String, methods: [Method]? = nil, requiring requirement: AccessRequirement = .anyValidToken,
        to proxy: ReverseProxy
    ) -> DeclaredRoute {
        let base = resource.identifier.path
        let below = inGroup(path)
        let whole = hasWholePaths ? below : (base.hasSuffix("/") ? String(base.dropLast()) : base) + below
        return relay(
            methods ?? [.everyMethod], path, requiring: requirement,
            ProxyRelay(proxy, for: resource, path: whole))
    }
}

extension OptionallyProtectedRoutes {
    /// Answers a path with another server's responses; without a token its identity fields are all empty.
    ///
    /// - Parameters:
    ///   - path: The path below the resource, usually with a final `{rest...}`.
    ///   - methods: The methods. Default `nil`: every method but CONNECT and TRACE.
    ///   - requirement: What the token must carry. Default: there may be no token.
    ///   - proxy: The proxy.
    ///
    /// RFC 9110 §7.6.
    @discardableResult
    public mutating func proxy(
        _ path: String, methods: [Method]? = nil,
        requiring requirement: AccessRequirement = .validTokenOrNone, to proxy: ReverseProxy
    ) -> DeclaredRoute {
        block.proxy(path, methods: methods, requiring: requirement, to: proxy)
    }
}
