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
        if let forwardAuth {
            routes.forwardAuth(
                at: forwardAuth.path, for: forwardAuth.family, identityPrefix: forwardAuth.identityPrefix)
        }
        for route in publicRoutes {
            routes.group { group in
                group.cors = route.cors
                route.declare(in: &group, proxies)
            }
        }
        // Routes with the same answer share one handler, since a file may have a hundred thousand.
        var handlers: [RouteSettings.Answer: RouteHandler] = [:]
        var requirements = SharedRequirements()
        for (settings, resource) in zip(resources, guarded) {
            routes.protect(resource) { block in
                block.hasWholePaths = true
                block.cors = settings.cors
                block.takesRequestsWithoutToken = true
                for route in settings.routes {
                    let requirement = requirements.requirement(of: route, in: settings)
                    if let proxy = proxies[route] {
                        block.proxy(
                            route.pattern, methods: route.methods, requiring: requirement, to: proxy)
                        continue
                    }
                    guard !requirement.mayLackToken else {
                        block.add(
                            route.methods, route.pattern, requirement,
                            route.answer.handler(at: resource.identifier).forOpenRoutes)
                        continue
                    }
                    if let handler = handlers[route.answer] {
                        block.add(route.methods, route.pattern, requirement, handler)
                        continue
                    }
                    let handler = route.answer.handler.forProtectedRoutes
                    handlers[route.answer] = handler
                    block.add(route.methods, route.pattern, requirement, handler)
                }
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
}

extension RouteAnswer {
    /// The handler for routes whose requests may have a validated token.
    fileprivate var forOpenRoutes: RouteHandler {
        switch self {
        case .immediate(let handle): .immediate { request in handle(request, request.token) }
        case .suspending(let handle): .suspending { request in try await handle(request) }
        case .blocking(let handle): .blocking { request in handle(request) }
        case .proxied: .immediate { _ in Response(status: .badGateway) }
        }
    }

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
        case .proxied: .immediate { _ in Response(status: .badGateway) }
        }
    }
}

/// The requirements of routes: equal ones share their memory.
private struct SharedRequirements {
    private var known: Set<AccessRequirement> = []
    /// Those of routes that demand nothing but scopes, as most do, by the scopes.
    private var ofScopes: [[String]: AccessRequirement] = [:]

    mutating func requirement(of route: RouteSettings, in resource: ResourceSettings) -> AccessRequirement {
        let demandsOnlyScopes = route.demandsOnlyScopes
        if demandsOnlyScopes, let known = ofScopes[route.scopes] { return known }
        let requirement = known.insert(route.requirement(in: resource)).memberAfterInsert
        if demandsOnlyScopes { ofScopes[route.scopes] = requirement }
        return requirement
    }
}

extension RouteSettings {
    fileprivate var demandsOnlyScopes: Bool {
        !scopes.isEmpty && acrValues.isEmpty && maxAge == nil && authorizationDetails.isEmpty
            && !isSenderConstrained && !isFreshlyIntrospected && conditions == ConditionSettings()
    }

    fileprivate func requirement(in resource: ResourceSettings) -> AccessRequirement {
        if isTokenOptional(in: resource) { return .validTokenOrNone }
        var requirement = AccessRequirement.all(of: scopes.compactMap { Scope(token: $0.separateCopy) })
            .authenticated(by: acrValues, within: maxAge)
            .covering(authorizationDetails)
        if isSenderConstrained { requirement = requirement.senderConstrained() }
        if isFreshlyIntrospected { requirement = requirement.freshlyIntrospected() }
        requirement = requirement.holding(conditions.claims)
        return conditions.operations.isEmpty
            ? requirement : requirement.distinguishing(conditions.operations, others: conditions.others)
    }
}
