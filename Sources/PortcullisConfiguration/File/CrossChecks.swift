// SPDX-License-Identifier: MIT

import Portcullis

/// Checks across the objects of a configuration file.
struct CrossChecks {
    let findings: FindingCollector

    func check(_ file: inout ConfigurationFile) {
        checkIssuers(&file)
        checkIdentifiers(file.resources)
        checkRootAliases(file.resources)
        for resource in file.resources {
            checkRoutes(of: resource)
            checkTrust(of: resource, in: file)
            checkAudiences(of: resource)
            checkEffects(of: resource, in: file)
        }
        checkNesting(file.resources)
        checkPublicRoutes(file)
        checkStore(file)
    }

    /// Rejects duplicate entries, and adds a default entry for each listed issuer without one.
    private func checkIssuers(_ file: inout ConfigurationFile) {
        var known: [String] = []
        for server in file.authorizationServers {
            if known.contains(where: { $0.utf8.elementsEqual(server.issuer.utf8) }) {
                error(server.path, ["issuer"], "has more than one entry; remove the others")
            }
            known.append(server.issuer)
        }
        for index in file.resources.indices { dropCoveredIssuers(&file.resources[index], file, known) }
        checkSpelling(file.authorizationServers, listed: file.resources.flatMap(\.issuers))
        for (issuer, path) in file.resources.flatMap(\.issuers)
        where !known.contains(where: { $0.utf8.elementsEqual(issuer.utf8) }) {
            known.append(issuer)
            file.authorizationServers.append(AuthorizationServerSettings(issuer: issuer, listedAt: path))
            let url = HTTPURL.parse(IssuerPattern(issuer)?.issuer(of: "x") ?? issuer)
            if url.map({ !$0.isSecure }) ?? IssuerPattern.isPattern(issuer) {
                findings.checkIssuer(JSONPath(text: path), issuer, allowingLoopback: false)
            }
        }
    }

    /// Leaves out listed issuers without an entry that a trusted pattern covers: its settings are theirs.
    private func dropCoveredIssuers(
        _ resource: inout ResourceSettings, _ file: ConfigurationFile, _ known: [String]
    ) {
        let patterns = resource.issuers.compactMap { trusted in
            IssuerPattern(trusted.issuer).map { pattern in
                (
                    pattern,
                    file.authorizationServers.first { $0.issuer.utf8.elementsEqual(trusted.issuer.utf8) }
                )
            }
        }
        guard !patterns.isEmpty else { return }
        resource.issuers.removeAll { listed in
            guard !known.contains(where: { $0.utf8.elementsEqual(listed.issuer.utf8) }) else { return false }
            return patterns.contains { pattern, server in
                guard let value = pattern.value(in: listed.issuer) else { return false }
                return server?.tenants?.contains(value) ?? true
            }
        }
    }

    /// Rejects equal identifiers, and those whose well-known locations collide because of a trailing slash.
    private func checkIdentifiers(_ resources: [ResourceSettings]) {
        // Keyed by what colliding identifiers share, so that the cost grows linearly.
        var seen: [String: [ResourceSettings]] = [:]
        for resource in resources {
            let identifier = resource.metadata.resource
            let key = resource.url.authority + identifier.wellKnownLocation.pathWithoutSlash
            for other in seen[key] ?? [] where other.metadata.resource.collides(with: identifier) {
                error(
                    resource.path, ["metadata", "resource"],
                    other.metadata.resource.path == identifier.path
                        ? "is the same as \(other.path).metadata.resource; must be unique"
                        : "differs from \(other.path).metadata.resource only by a trailing slash; must "
                            + "differ in more")
            }
            seen[key, default: []].append(resource)
        }
    }

    /// Rejects a root alias where another document is already at the root of the authority.
    private func checkRootAliases(_ resources: [ResourceSettings]) {
        for (index, alias) in resources.enumerated() where alias.isRootAlias {
            let rival = resources.enumerated().first { offset, other in
                let isAtRoot =
                    other.metadata.resource.wellKnownLocation.pathWithoutSlash == WellKnownLocation.root
                return offset != index && other.url.authority == alias.url.authority
                    && (offset < index && other.isRootAlias || isAtRoot && other.url.query == nil)
            }
            guard let rival = rival?.element else { continue }
            error(
                alias.path, ["root_alias"],
                "is taken by \(rival.path), whose document is at the root of the same authority; must be "
                    + "false")
        }
    }

    private func checkRoutes(of resource: ResourceSettings) {
        let declared = resource.metadata.scopesSupported.map(\.name)
        for route in resource.routes {
            if !isBelow(pathSegments(route.pattern), resource.url.segments) {
                error(route.path, ["path"], "must lie under the path of its resource")
            }
            checkDetails(of: route, in: resource)
            guard !declared.isEmpty else { continue }
            for (index, scope) in route.scopes.enumerated()
            where isScopeToken(scope) && !declared.contains(scope) {
                findings.error(
                    JSONPath(text: route.path)["scopes"][index],
                    "is not in the resource's scopes_supported; add it there")
            }
        }
        checkDistinct(resource.routes)
    }

    // RFC 9396 §10: no server grants a type that the resource does not list.
    private func checkDetails(of route: RouteSettings, in resource: ResourceSettings) {
        let known = resource.metadata.authorizationDetailsTypesSupported
        for (index, detail) in route.authorizationDetails.enumerated()
        where !known.contains(where: { $0.utf8.elementsEqual(detail.type.utf8) }) {
            findings.error(
                JSONPath(text: route.path)["authorization_details"][index],
                "has a type that is not in the metadata's authorization_details_types_supported; add it "
                    + "there")
        }
    }

    private func checkTrust(of resource: ResourceSettings, in file: ConfigurationFile) {
        let servers = resource.issuers.compactMap { listed in
            file.authorizationServers.first { $0.issuer.utf8.elementsEqual(listed.issuer.utf8) }
        }
        guard !servers.isEmpty else { return }
        let introspecting = servers.filter { $0.introspection != nil }
        if introspecting.count > 1 {
            error(
                resource.path, ["metadata", "authorization_servers"],
                "must list at most one issuer with introspection: an opaque token does not name its issuer")
        }
        if resource.tokens.format == .opaque, introspecting.isEmpty {
            error(
                resource.path, ["tokens", "format"],
                "must not be \"opaque\" where no issuer has introspection")
        }
        if resource.tokens.format == .jwt, !servers.contains(where: \.hasKeys) {
            error(
                resource.path, ["tokens", "format"],
                "must not be \"jwt\" where no issuer has keys or discovery")
        }
        for route in resource.routes where route.isFreshlyIntrospected && introspecting.isEmpty {
            error(
                route.path, ["fresh_introspection"],
                "must not be true where no issuer has introspection; configure it for one")
        }
    }

    private func checkAudiences(of resource: ResourceSettings) {
        guard let audiences = resource.tokens.audiences,
            !audiences.contains(where: { $0.utf8.elementsEqual(resource.metadata.resource.text.utf8) })
        else { return }
        findings.warning(
            JSONPath(text: resource.path)["tokens"]["audiences"],
            "does not include the resource identifier, for which clients request tokens")
    }

    /// Warns if processes share replay records but not the keys of their DPoP nonces.
    private func checkStore(_ file: ConfigurationFile) {
        guard file.store != nil else { return }
        for resource in file.resources {
            let dpop = resource.tokens.dpop
            guard dpop.nonce == .required, dpop.nonceKeys.isEmpty, dpop.nonceKeysFile == nil,
                resource.takesProofs
            else { continue }
            findings.warning(
                JSONPath(text: resource.path)["tokens"]["dpop"]["nonce"],
                "is required without nonce_keys, so processes that share the store refuse each other's "
                    + "nonces; set nonce_keys")
        }
    }

    func error(_ base: String, _ names: [String], _ message: String) {
        findings.error(names.reduce(JSONPath(text: base)) { $0[$1] }, message)
    }
}
