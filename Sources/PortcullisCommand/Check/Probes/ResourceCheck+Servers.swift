// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisDiscovery
import PortcullisJOSE

extension ResourceCheck {
    /// Checks the document's authorization servers.
    ///
    /// RFC 8414 §3, RFC 9728 §4.
    ///
    /// - Parameter isMCP: Whether the clients are those of the Model Context Protocol.
    func checkServers(_ found: DiscoveredMetadata, isMCP: Bool, _ report: inout CheckReport) async {
        let all = found.metadata.authorizationServers
        let issuers = all.prefix(ProtectedResourceMetadata.maxAuthorizationServerCount)
        if all.count > issuers.count {
            report.note(
                .warn, "server.count",
                "There are \(all.count) authorization servers; only the first \(issuers.count) are checked."
            )
        }
        let results = await withTaskGroup(of: (Int, Bool, CheckReport).self) { group in
            for (index, issuer) in issuers.enumerated() {
                group.addTask {
                    let (isUsable, report) = await findings(on: issuer, for: found.metadata, isMCP: isMCP)
                    return (index, isUsable, report)
                }
            }
            var results: [(Int, Bool, CheckReport)] = []
            for await result in group { results.append(result) }
            return results.sorted { $0.0 < $1.0 }
        }
        for result in results {
            report.findings += result.2.findings
            report.facts += result.2.facts
        }
        if !issuers.isEmpty, !results.contains(where: { $0.1 }) {
            report.note(
                .fail, "server.any",
                "None of the authorization servers can be used, so no client gets a token that can be "
                    + "validated.")
        }
    }

    private func findings(
        on issuer: String, for resource: ProtectedResourceMetadata, isMCP: Bool
    ) async -> (isUsable: Bool, report: CheckReport) {
        let server: DiscoveredAuthorizationServer
        do throws(DiscoveryError) {
            server = try await discovery.authorizationServer(issuer)
        } catch {
            let exchange = Exchange(sent: "GET the metadata of \(issuer)", received: error.description)
            var report = CheckReport(subject: issuer)
            report.exchange = exchange
            let text = "\(Exchange.shown(issuer)): \(error.description)"
            report.note(.warn, "server.metadata", text, about: issuer)
            return (false, report)
        }
        var report = CheckReport(subject: issuer)
        report.exchange = Exchange(sent: "GET \(server.location)", received: "200, the server's metadata")
        report.facts = WatchedFact.facts(of: server)
        report.note(.pass, "server.metadata", "\(issuer) has valid metadata: \(server.location)")
        if !server.isJSON {
            report.note(
                .warn, "server.media-type",
                "\(issuer): the media type is not application/json (RFC 8414 §3.2).")
        }
        checkAgreement(server, resource, &report)
        checkEndpoints(server, isMCP: isMCP, &report)
        ServerLint(server: server).check(&report)
        let hasKeys = await checkKeys(of: server, &report)
        await checkTokenEndpoint(of: server, &report)
        await checkEvents(of: issuer, &report)
        // Without a token endpoint a client gets no token, and without the announced keys no resource can
        // validate one, unless by introspection.
        let isUsable = server.tokenEndpoint != nil && (hasKeys || server.introspectionEndpoint != nil)
        report.findings = report.findings.map { $0.about(issuer) }
        return (isUsable, report)
    }

    private func checkAgreement(
        _ server: DiscoveredAuthorizationServer, _ resource: ProtectedResourceMetadata,
        _ report: inout CheckReport
    ) {
        if let isListed = server.lists(resource.resource) {
            report.note(
                isListed ? .pass : .warn, "server.protected-resources",
                isListed
                    ? "\(server.issuer) lists the resource."
                    : "\(server.issuer) lists protected_resources, but not this one (RFC 9728 §4).")
        }
        let unknown = server.unlistedScopes(among: resource.scopesSupported)
        if !unknown.isEmpty {
            report.note(
                .warn, "server.scopes",
                "\(server.issuer) does not list scopes of the resource: "
                    + unknown.map(\.name).joined(separator: " "))
        }
    }

    private func checkEndpoints(
        _ server: DiscoveredAuthorizationServer, isMCP: Bool, _ report: inout CheckReport
    ) {
        if server.tokenEndpoint == nil {
            report.note(.warn, "server.token", "\(server.issuer) names no token_endpoint (RFC 8414 §2).")
        }
        if server.authorizationEndpoint != nil,
            server.codeChallengeMethodsSupported?.contains("S256") != true
        {
            report.note(
                isMCP ? .fail : .warn, "server.pkce",
                "\(server.issuer) does not list S256 in code_challenge_methods_supported; MCP clients stop "
                    + "here.")
        }
        if server.registrationEndpoint == nil,
            server.document["client_id_metadata_document_supported"]?.bool != true
        {
            report.note(
                .note, "server.registration",
                "\(server.issuer) does not register new clients: it has no registration_endpoint and no "
                    + "client ID metadata documents.")
        }
    }

    /// - Returns: Whether the server publishes usable keys, or does not say that it publishes any.
    private func checkKeys(
        of server: DiscoveredAuthorizationServer, _ report: inout CheckReport
    ) async -> Bool {
        guard server.jwksURI != nil else {
            if server.introspectionEndpoint == nil {
                report.note(
                    .note, "server.keys",
                    "\(server.issuer) has neither jwks_uri nor introspection_endpoint, so others cannot "
                        + "validate its tokens.")
            }
            return true
        }
        do throws(DiscoveryError) {
            let keys = try await discovery.keys(of: server)
            await checkEachKey(of: server, &report)
            if !keys.indicesWithPrivateMembers.isEmpty {
                report.note(.fail, "server.keys", "\(server.issuer) publishes private keys (RFC 7517 §9.2).")
            } else if keys.keys.isEmpty {
                report.note(.warn, "server.keys", "\(server.issuer) publishes no usable key.")
            } else {
                report.note(.pass, "server.keys", "\(server.issuer) publishes its keys.")
            }
            return !keys.keys.isEmpty
        } catch {
            report.note(.warn, "server.keys", "The keys of \(server.issuer): \(error.description)")
            return false
        }
    }

    private func checkEachKey(of server: DiscoveredAuthorizationServer, _ report: inout CheckReport) async {
        guard let location = server.jwksURI, let response = try? await fetch(location),
            let document = (try? JSONValue.parse(response.body))?.object
        else { return }
        let before = report.exchange
        report.exchange = Exchange(.get, location, response)
        KeyLint.check(document, of: server.issuer, &report)
        report.exchange = before
    }
}
