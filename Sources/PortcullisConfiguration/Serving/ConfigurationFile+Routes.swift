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
        // Routes with the same answer share one handler, since a file may have a hundred thousand.
        var handlers: [RouteSettings.Answer: RouteHandler] = [:]
        var requirements: Set<AccessRequirement> = []
        for (settings, resource) in zip(resources, guarded) {
            routes.protect(resource) { block in
                block.hasWholePaths = true
                block.cors = settings.cors
                for route in settings.routes {
                    let handler = handlers[route.answer] ?? route.answer.handler.forProtectedRoutes
                    handlers[route.answer] = handler
                    let requirement = requirements.insert(route.requirement).memberAfterInsert
                    block.add(route.methods, route.pattern, requirement, handler)
                }
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
}

extension RouteAnswer {
    /// The handler for routes whose requests have a validated token.
    fileprivate var forProtectedRoutes: RouteHandler {
        switch self {
        case .immediate(let handle):
            .immediate { request in handle(request, try ProtectedRoutes.token(of: request)) }
        case .suspending(let handle):
            .suspending { request in
                _ = try ProtectedRoutes.token(of: request)
                return try await handle(request)
            }
        case .blocking(let handle):
            .blocking { request in
                _ = try ProtectedRoutes.token(of: request)
                return handle(request)
            }
        }
    }
}

extension RouteSettings {
    fileprivate var requirement: AccessRequirement {
        var requirement = AccessRequirement.all(of: scopes.compactMap { Scope(token: $0.separateCopy) })
            .authenticated(by: acrValues, within: maxAge)
            .covering(authorizationDetails)
        if isSenderConstrained { requirement = requirement.senderConstrained() }
        if isFreshlyIntrospected { requirement = requirement.freshlyIntrospected() }
        return requirement
    }
}
