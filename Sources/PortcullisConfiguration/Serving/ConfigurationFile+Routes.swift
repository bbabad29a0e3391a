// SPDX-License-Identifier: MIT

package import Portcullis
import PortcullisHTTP
package import PortcullisServer

extension ConfigurationFile {
    /// Adds every route of the file.
    ///
    /// - Parameters:
    ///   - guarded: The result of ``makeResources(relativeTo:sharing:remembering:storingIn:onEvent:)``.
    ///   - proxies: The result of ``makeProxies(relativeTo:onEvent:)``. A route whose proxy is missing
    ///     answers 502, which is enough to explain decisions.
    package func declare(
        _ routes: inout Routes, guarding guarded: [ProtectedResource],
        passingTo proxies: ConfiguredProxies = ConfiguredProxies()
    ) {
        for route in publicRoutes { route.declare(in: &routes, proxies) }
        for (settings, resource) in zip(resources, guarded) {
            routes.protect(resource) { block in
                block.hasWholePaths = true
                block.cors = settings.cors
                for route in settings.routes { route.declare(in: &block, proxies) }
            }
        }
    }
}

extension RouteSettings {
    fileprivate func declare(in routes: inout Routes, _ proxies: ConfiguredProxies) {
        switch answer.handler {
        case .immediate(let handle): routes.on(methods, pattern) { request in handle(request, nil) }
        case .suspending(let handle): routes.on(methods, pattern) { request in try await handle(request) }
        case .blocking(let handle):
            routes.blocking { $0.on(methods, pattern) { request in handle(request) } }
        case .proxied:
            if let proxy = proxies[self] {
                routes.proxy(pattern, methods: methods, to: proxy)
            } else {
                routes.on(methods, pattern) { _ in Response(status: .badGateway) }
            }
        }
    }

    fileprivate func declare(in block: inout ProtectedRoutes, _ proxies: ConfiguredProxies) {
        let requirement = requirement
        switch answer.handler {
        case .immediate(let handle):
            block.on(methods, pattern, requiring: requirement) { request, token in handle(request, token) }
        case .suspending(let handle):
            block.on(methods, pattern, requiring: requirement) { request, _ in try await handle(request) }
        case .blocking(let handle):
            block.on(methods, pattern, requiring: requirement, blocking: { request, _ in handle(request) })
        case .proxied:
            if let proxy = proxies[self] {
                block.proxy(pattern, methods: methods, requiring: requirement, to: proxy)
            } else {
                block.on(methods, pattern, requiring: requirement) { _, _ in Response(status: .badGateway) }
            }
        }
    }
}

extension RouteSettings {
    private var requirement: AccessRequirement {
        var requirement = AccessRequirement.all(of: scopes.compactMap(Scope.init(token:)))
            .authenticated(by: acrValues, within: maxAge)
            .covering(authorizationDetails)
        if isSenderConstrained { requirement = requirement.senderConstrained() }
        if isFreshlyIntrospected { requirement = requirement.freshlyIntrospected() }
        return requirement
    }
}
