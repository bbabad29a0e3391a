// SPDX-License-Identifier: MIT

import Portcullis

/// The checks that look at more than one object of a configuration file.
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

    /// Entries are distinct; a listed issuer without one gets the defaults.
    private func checkIssuers(_ file: inout ConfigurationFile) {
        var known: [String] = []
        for server in file.authorizationServers {
            if known.contains(where: { $0.utf8.elementsEqual(server.issuer.utf8) }) {
                error(server.path, ["issuer"], "has two entries; must have one")
            }
            known.append(server.issuer)
        }
        for (issuer, path) in file.resources.flatMap(\.issuers)
        where !known.contains(where: { $0.utf8.elementsEqual(issuer.utf8) }) {
            known.append(issuer)
            file.authorizationServers.append(AuthorizationServerSettings(issuer: issuer, listedAt: path))
            if let url = HTTPURL.parse(issuer), !url.isSecure {
                findings.checkIssuer(JSONPath(text: path), issuer, allowingLoopback: false)
            }
        }
        let used = file.resources.flatMap(\.issuers).map(\.issuer)
        for server in file.authorizationServers
        where !server.issuer.isEmpty && !used.contains(where: { $0.utf8.elementsEqual(server.issuer.utf8) }) {
            findings.warning(JSONPath(text: server.path)["issuer"], "is trusted by no resource")
        }
    }

    /// Equal identifiers are one resource; a trailing slash more makes the well-known locations collide.
    private func checkIdentifiers(_ resources: [ResourceSettings]) {
        // By what collisions have in common, so that a thousand resources cost no million comparisons.
        var seen: [String: [ResourceSettings]] = [:]
        for resource in resources {
            let identifier = resource.metadata.resource
            let key = resource.url.authority + identifier.wellKnownLocation.pathWithoutSlash
            for other in seen[key] ?? [] where other.metadata.resource.collides(with: identifier) {
                error(
                    resource.path, ["metadata", "resource"],
                    other.metadata.resource.path == identifier.path
                        ? "is the same as \(other.path).metadata.resource; must be another one"
                        : "differs from \(other.path).metadata.resource by a trailing slash only; must differ by more"
                )
            }
            seen[key, default: []].append(resource)
        }
    }

    /// One document at most can stand at the root of an authority, and it must not take another one's place.
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
                "is taken by \(rival.path), whose document is at the root of the same authority; must be false"
            )
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

    // RFC 9396 §10: nothing grants a type that the resource does not know.
    private func checkDetails(of route: RouteSettings, in resource: ResourceSettings) {
        let known = resource.metadata.authorizationDetailsTypesSupported
        for (index, detail) in route.authorizationDetails.enumerated()
        where !known.contains(where: { $0.utf8.elementsEqual(detail.type.utf8) }) {
            findings.error(
                JSONPath(text: route.path)["authorization_details"][index],
                "is of a type that is not in the metadata's authorization_details_types_supported; add it there"
            )
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
                "must hold one issuer with introspection at most, since an opaque token names none")
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
    }

    private func checkAudiences(of resource: ResourceSettings) {
        guard let audiences = resource.tokens.audiences,
            !audiences.contains(where: { $0.utf8.elementsEqual(resource.metadata.resource.text.utf8) })
        else { return }
        findings.warning(
            JSONPath(text: resource.path)["tokens"]["audiences"],
            "lacks the resource identifier, which is what clients ask a token for")
    }

    /// Who shares what was used should share what is handed out too.
    private func checkStore(_ file: ConfigurationFile) {
        guard file.store != nil else { return }
        for resource in file.resources {
            let dpop = resource.tokens.dpop
            guard dpop.nonce == .required, dpop.nonceKeys.isEmpty, dpop.nonceKeysFile == nil else { continue }
            findings.warning(
                JSONPath(text: resource.path)["tokens"]["dpop"]["nonce"],
                "is required but nonce_keys are not given, so that processes on one store refuse each other's nonces"
            )
        }
    }

    func error(_ base: String, _ names: [String], _ message: String) {
        findings.error(names.reduce(JSONPath(text: base)) { $0[$1] }, message)
    }
}
