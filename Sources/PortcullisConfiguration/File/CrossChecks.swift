// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisTransport

/// Checks across the objects of a configuration file.
struct CrossChecks {
    /// A server that a resource trusts, and where it lists it.
    typealias TrustedServer = (server: ServerIndex.Entry, listed: ListedIssuer)

    let findings: FindingCollector

    func check(_ file: inout ConfigurationFile, onCores cores: Int) {
        checkIssuers(&file)
        checkIdentifiers(file.resources)
        checkRootAliases(file.resources)
        checkResources(of: file, onCores: cores)
        checkPublicRoutes(file)
        checkProxies(file)
        checkForwardAuth(file)
        checkStore(file)
        checkRelaxations(of: file)
    }

    private func checkResources(of file: ConfigurationFile, onCores cores: Int) {
        let servers = ServerIndex(file.authorizationServers)
        let places = ResourcePlaces(file.resources) { $0.authority }
        let parts = DividedWork.map(file.resources, among: cores) { part in
            let checks = CrossChecks(findings: FindingCollector())
            for index in part.indices {
                let resource = part[index]
                let paths = resource.routes.map { pathSegments($0.pattern) }
                checks.checkRoutes(of: resource, paths)
                checks.checkNesting(of: index, in: file.resources, places, paths)
                let trusted = resource.issuers.compactMap { listed in
                    servers[listed.issuer].map { (server: $0, listed: listed) }
                }
                checks.checkTrust(of: resource, trusted)
                checks.checkAudiences(of: resource)
                checks.checkEffects(of: resource, trusting: trusted, in: file)
            }
            return checks.findings.findings
        }
        for part in parts { findings.add(part) }
    }

    /// Rejects duplicate entries, and adds a default entry for each listed issuer without one.
    private func checkIssuers(_ file: inout ConfigurationFile) {
        var known: Set<ExactText> = []
        for server in file.authorizationServers where !known.insert(ExactText(server.issuer)).inserted {
            error(server.path, ["issuer"], "has more than one entry; remove the others")
        }
        for index in file.resources.indices {
            dropCoveredIssuers(&file.resources[index], file.authorizationServers, known)
        }
        var seen: Set<ExactText> = []
        var listed: [ListedIssuer] = []
        var latest: [ListedIssuer] = []
        for index in file.resources.indices {
            let issuers = file.resources[index].issuers
            // Most resources list the same issuers as the one before.
            if issuers.elementsEqual(latest, by: { CodePoints.equal($0.issuer, $1.issuer) }) { continue }
            latest = issuers
            for issuer in issuers where seen.insert(ExactText(issuer.issuer)).inserted {
                listed.append(issuer)
            }
        }
        checkSpelling(file.authorizationServers, listed: listed)
        for entry in listed where known.insert(ExactText(entry.issuer)).inserted {
            let issuer = entry.issuer
            file.authorizationServers.append(
                AuthorizationServerSettings(issuer: issuer, listedAt: entry.path))
            let url = HTTPURL.parse(IssuerPattern(issuer)?.issuer(of: "x") ?? issuer)
            if url.map({ !$0.isSecure }) ?? entry.isPattern {
                findings.checkIssuer(entry.place, issuer, allowingLoopback: false)
            }
        }
    }

    /// Leaves out listed issuers without an entry that a trusted pattern covers: its settings are theirs.
    private func dropCoveredIssuers(
        _ resource: inout ResourceSettings, _ servers: [AuthorizationServerSettings], _ known: Set<ExactText>
    ) {
        let given = resource.issuers.filter(\.isPattern).compactMap { trusted in
            IssuerPattern(trusted.issuer).map { pattern in
                (pattern, servers.first { $0.issuer.utf8.elementsEqual(trusted.issuer.utf8) })
            }
        }
        guard !given.isEmpty else { return }
        resource.issuers.removeAll { listed in
            guard !known.contains(ExactText(listed.issuer)) else { return false }
            return given.contains { pattern, server in
                guard let value = pattern.value(in: listed.issuer) else { return false }
                return server?.tenants?.contains(value) ?? true
            }
        }
    }

    /// Rejects equal identifiers, and those whose well-known locations collide because of a trailing slash.
    private func checkIdentifiers(_ resources: [ResourceSettings]) {
        // The first resource at each metadata location, so that the cost grows linearly.
        var seen: [ResourceIdentifier.Location: Int] = [:]
        seen.reserveCapacity(resources.count)
        for index in resources.indices {
            let identifier = resources[index].metadata.resource
            let location = identifier.location
            guard let first = seen[location] else {
                seen[location] = index
                continue
            }
            let (resource, other) = (resources[index], resources[first])
            error(
                resource.path, ["metadata", "resource"],
                other.metadata.resource.path == identifier.path
                    ? "is the same as \(other.path).metadata.resource; must be unique"
                    : "differs from \(other.path).metadata.resource only by a trailing slash; must "
                        + "differ in more")
        }
    }

    /// Rejects a root alias where another document is already at the root of the authority.
    private func checkRootAliases(_ resources: [ResourceSettings]) {
        let aliases = resources.indices.filter { resources[$0].isRootAlias }
        guard !aliases.isEmpty else { return }
        /// The first alias and the first two documents at the root of each authority, by index.
        var firstAlias: [String: Int] = [:]
        var atRoot: [String: [Int]] = [:]
        for index in aliases where firstAlias[resources[index].url.authority] == nil {
            firstAlias[resources[index].url.authority] = index
        }
        for (index, resource) in resources.enumerated()
        where resource.url.path.utf8.count <= 1 && resource.url.query == nil
            && atRoot[resource.url.authority, default: []].count < 2
        {
            atRoot[resource.url.authority, default: []].append(index)
        }
        for index in aliases {
            let authority = resources[index].url.authority
            let earlier = firstAlias[authority].flatMap { $0 < index ? $0 : nil }
            let document = atRoot[authority]?.first { $0 != index }
            guard let rival = [earlier, document].compactMap({ $0 }).min() else { continue }
            error(
                resources[index].path, ["root_alias"],
                "is taken by \(resources[rival].path), whose document is at the root of the same authority; "
                    + "must be false")
        }
    }

    private func checkRoutes(of resource: ResourceSettings, _ paths: [[String]]) {
        let declared = Set(resource.metadata.scopesSupported.map(\.name))
        let base = resource.url.segments
        // By index, here and below: the copy of a route costs a retain for each of its parts.
        for index in resource.routes.indices {
            checkRoute(resource.routes[index], paths[index], base, declared)
            checkDetails(of: resource.routes[index], in: resource)
            checkAuthentication(of: resource.routes[index])
        }
        checkAuthentication(of: resource)
        checkDistinct(resource.routes, paths)
    }

    private func checkRoute(
        _ route: RouteSettings, _ segments: [String], _ base: [String], _ declared: Set<String>
    ) {
        if !isBelow(segments, base) {
            error(
                route.path, ["path"],
                "must lie under the path of its resource, /\(base.joined(separator: "/"))")
        }
        guard !declared.isEmpty else { return }
        let place = JSONPath(text: route.path)
        checkDeclared(route.scopes, at: place, declared)
        for (index, operation) in route.conditions.operations.enumerated() {
            checkDeclared(operation.scopes.map(\.name), at: place["operations"][index], declared)
        }
    }

    private func checkDeclared(_ scopes: [String], at place: JSONPath, _ declared: Set<String>) {
        for (index, scope) in scopes.enumerated() where isScopeToken(scope) && !declared.contains(scope) {
            findings.error(
                place["scopes"][index], "is not in the resource's scopes_supported; add it there")
        }
    }

    // RFC 9396 §10: no server grants a type that the resource does not list.
    private func checkDetails(of route: RouteSettings, in resource: ResourceSettings) {
        guard !route.authorizationDetails.isEmpty else { return }
        let known = resource.metadata.authorizationDetailsTypesSupported
        for (index, detail) in route.authorizationDetails.enumerated()
        where !known.contains(where: { $0.utf8.elementsEqual(detail.type.utf8) }) {
            findings.error(
                JSONPath(text: route.path)["authorization_details"][index],
                "has a type that is not in the metadata's authorization_details_types_supported; add it "
                    + "there")
        }
    }

    private func checkTrust(of resource: ResourceSettings, _ servers: [TrustedServer]) {
        guard !servers.isEmpty else { return }
        let introspecting = servers.filter(\.server.introspects)
        if introspecting.count > 1 {
            error(
                resource.path, ["metadata", "authorization_servers"],
                "must list at most one issuer with introspection: an opaque token does not name its issuer")
        }
        if resource.tokens.format == .opaque, introspecting.isEmpty {
            error(
                resource.path, ["tokens", "format"],
                "must not be \"opaque\" where no issuer has introspection; configure it for one")
        }
        if resource.tokens.format == .jwt, !servers.contains(where: \.server.hasKeys) {
            error(
                resource.path, ["tokens", "format"],
                "must not be \"jwt\" where no issuer has keys or discovery; give them to one")
        }
        guard introspecting.isEmpty else { return }
        for index in resource.routes.indices where resource.routes[index].isFreshlyIntrospected {
            error(
                resource.routes[index].path, ["fresh_introspection"],
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
                resource.metadata.takesProofs
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
