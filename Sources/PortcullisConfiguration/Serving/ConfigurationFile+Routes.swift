// SPDX-License-Identifier: MIT

package import Portcullis
import PortcullisHTTP
package import PortcullisServer

extension ConfigurationFile {
    /// Adds every route of the file.
    ///
    /// - Parameter guarded: The result of
    ///   ``makeResources(relativeTo:sharing:remembering:storingIn:onEvent:)``.
    package func declare(_ routes: inout Routes, guarding guarded: [ProtectedResource]) {
        for route in publicRoutes {
            routes.group { group in
                group.cors = route.cors
                route.declare(in: &group)
            }
        }
        for (settings, resource) in zip(resources, guarded) {
            routes.protect(resource) { block in
                block.hasWholePaths = true
                block.cors = settings.cors
                for route in settings.routes { route.declare(in: &block) }
            }
        }
    }
}

extension RouteSettings {
    fileprivate func declare(in routes: inout Routes) {
        switch answer.handler {
        case .immediate(let handle): routes.on(methods, pattern) { request in handle(request, nil) }
        case .suspending(let handle): routes.on(methods, pattern) { request in try await handle(request) }
        case .blocking(let handle):
            routes.blocking { $0.on(methods, pattern) { request in handle(request) } }
        }
    }

    fileprivate func declare(in block: inout ProtectedRoutes) {
        let requirement = requirement
        switch answer.handler {
        case .immediate(let handle):
            block.on(methods, pattern, requiring: requirement) { request, token in handle(request, token) }
        case .suspending(let handle):
            block.on(methods, pattern, requiring: requirement) { request, _ in try await handle(request) }
        case .blocking(let handle):
            block.on(methods, pattern, requiring: requirement, blocking: { request, _ in handle(request) })
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
