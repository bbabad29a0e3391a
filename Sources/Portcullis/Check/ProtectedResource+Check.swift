// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

extension ProtectedResource {
    /// Walks the chain as a client would that knows the resource's URL alone, and reports what would stop it.
    ///
    /// Fetches the metadata at the URL that challenges name, calls the resource without a token, and asks each listed authorization
    /// server for its metadata and keys. Does not ask for a token. Waits at most a time-out (default 5 seconds) for each exchange.
    ///
    /// - Parameter fetcher: The way to the resource's own URLs; nothing for that of its declaration.
    ///
    /// RFC 9728 §3.3, §4, §5, §7.6.
    public func checkChain(through fetcher: (any Fetcher)? = nil) async -> ChainReport {
        let way = fetcher ?? gate.fetcher ?? HTTPClientFetcher()
        async let document = checkDocument(way)
        async let challenge = checkChallenge(way)
        var faults = await document + challenge
        if metadata.authorizationServers.isEmpty { faults.append(finding(.noAuthorizationServer)) }
        for connection in gate.validator.connections { faults += await check(connection) }
        return ChainReport(resource: identifier, findings: faults)
    }

    private func finding(_ fault: ChainFault) -> ChainReport.Finding {
        ChainReport.Finding(fault: fault, subject: identifier.text)
    }

    private static let maxByteCount = 1_048_576

    // RFC 9728 §3.2, §3.3.
    private func checkDocument(_ way: any Fetcher) async -> [ChainReport.Finding] {
        let request = FetchRequest(
            url: metadataLocations.advertised, fields: [.accept: "application/json"],
            maxResponseByteCount: Self.maxByteCount)
        guard let response = try? await way.fetch(request) else { return [finding(.metadataUnreachable)] }
        guard response.status == .ok else { return [finding(.metadataStatus)] }
        let type = response.fields[.contentType] ?? ""
        let essence = String(type.prefix { $0 != ";" && $0 != " " })
        guard ASCII.equalIgnoringCase(essence, "application/json") else {
            return [finding(.metadataMediaType)]
        }
        guard let object = (try? JSONValue.parse(response.body))?.object else {
            return [finding(.metadataMalformed)]
        }
        guard let named = object["resource"]?.string, named.utf8.elementsEqual(identifier.text.utf8) else {
            return [finding(.resourceMismatch)]
        }
        var plain = object
        plain["signed_metadata"] = nil
        var own = metadata.json
        own["signed_metadata"] = nil
        return plain == own ? [] : [finding(.metadataDiffers)]
    }

    // RFC 9728 §5.1.
    private func checkChallenge(_ way: any Fetcher) async -> [ChainReport.Finding] {
        let request = FetchRequest(url: identifier.text, maxResponseByteCount: Self.maxByteCount)
        guard let response = try? await way.fetch(request) else { return [finding(.resourceUnreachable)] }
        guard response.status == .unauthorized else { return [finding(.challengeMissing)] }
        let parameter = "resource_metadata=\"\(metadataLocations.advertised)\""
        let names = response.fields.values(of: .wwwAuthenticate).contains {
            $0.utf8.containsSequence(parameter.utf8)
        }
        return names ? [] : [finding(.challengeMismatch)]
    }

    private func check(_ connection: IssuerConnection) async -> [ChainReport.Finding] {
        var faults: [ChainFault] = []
        let isListed = metadata.authorizationServers.contains {
            $0.utf8.elementsEqual(connection.issuer.utf8)
        }
        if isListed || connection.usesDiscovery {
            do throws(AuthorizationServerFault) {
                faults += contradictions(of: try await connection.discover())
            } catch {
                faults.append(.discoveryFailed)
            }
        }
        let now = gate.validator.time.uptime()
        if let keys = connection.keys, gate.validator.format != .opaque, await keys.reading(at: now) == nil {
            faults.append(.keysUnusable)
        }
        if await !connection.canIntrospect() { faults.append(.introspectionUnusable) }
        return faults.map { ChainReport.Finding(fault: $0, subject: connection.issuer) }
    }

    // Absence means nothing, neither of protected_resources (RFC 9728 §4) nor of scopes_supported (RFC 8414 §2).
    private func contradictions(of server: AuthorizationServerMetadata) -> [ChainFault] {
        var faults: [ChainFault] = []
        if let listed = server.protectedResources,
            !listed.contains(where: { $0.utf8.elementsEqual(identifier.text.utf8) })
        {
            faults.append(.resourceNotListed)
        }
        if let known = server.scopesSupported,
            !declaredScopes.allSatisfy({ scope in known.contains { $0.utf8.elementsEqual(scope.name.utf8) } })
        {
            faults.append(.scopesNotListed)
        }
        return faults
    }
}
