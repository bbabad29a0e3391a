// SPDX-License-Identifier: MIT

public import Portcullis

extension ProtectedResource {
    /// Follows the discovery chain (challenge, metadata, authorization servers) like a client that knows only
    /// the resource's URL, and reports what would stop it.
    ///
    /// Performs the steps of ``ProtectedResourceDiscovery`` one by one, so that it reports all faults: calls
    /// the resource without a token (and where it answers that, with one that is malformed), fetches the
    /// metadata at the advertised URL, and the metadata of each listed authorization server. Then it checks
    /// that this process can verify tokens: that there are keys, and that introspecting an unissued token
    /// works. Does not request a token. Each request has a timeout (default 5 seconds).
    ///
    /// - Parameter fetcher: The HTTP client for the resource's own URLs; `nil` for the declared one.
    ///
    /// RFC 9728 §3.3, §4, §5, §7.6.
    public func checkChain(through fetcher: (any Fetcher)? = nil) async -> ChainReport {
        await checkChain(through: fetcher, sharing: ServerSurvey())
    }

    /// Checks the chain of one of several resources that may share authorization servers.
    package func checkChain(
        through fetcher: (any Fetcher)? = nil, sharing survey: ServerSurvey
    ) async -> ChainReport {
        let discovery = selfDiscovery(through: fetcher ?? configuredFetcher ?? HTTPClientFetcher())
        async let document = checkDocument(discovery)
        async let challenge = checkChallenge(discovery)
        var findings = await document + challenge
        if metadata.authorizationServers.isEmpty { findings.append(finding(.noAuthorizationServer)) }
        for connection in connections { findings += await check(connection, survey) }
        return ChainReport(resource: identifier, findings: findings)
    }

    private func finding(_ fault: ChainFault, _ detail: String? = nil) -> ChainReport.Finding {
        ChainReport.Finding(fault: fault, subject: identifier.text, detail: detail)
    }

    private func selfDiscovery(
        through fetcher: any Fetcher,
        signedMetadata: ProtectedResourceDiscovery.SignedMetadataPolicy = .verified(signers: [:])
    ) -> ProtectedResourceDiscovery {
        var configuration = ProtectedResourceDiscovery.Configuration()
        // Only a loopback resource has an http identifier.
        configuration.allowsInsecureLoopback = !identifier.url.isSecure
        configuration.signedMetadata = signedMetadata
        configuration.maxCacheAge = .zero
        return ProtectedResourceDiscovery(
            fetcher: fetcher, configuration: configuration, time: time)
    }

    // RFC 9728 §2.2, §3.2, §3.3.
    private func checkDocument(_ discovery: ProtectedResourceDiscovery) async -> [ChainReport.Finding] {
        var faults: [ChainReport.Finding] = []
        let found: DiscoveredMetadata
        do throws(DiscoveryError) {
            found = try await document(discovery, &faults)
        } catch {
            let location = metadataLocations.advertised
            return [finding(ChainFault(ofDocument: error), error.whenCalling(location).description)]
        }
        var plain = found.document
        plain["signed_metadata"] = nil
        var own = metadata.json
        own["signed_metadata"] = nil
        return plain == own ? faults : faults + [finding(.metadataDiffers)]
    }

    /// Fetches the document, even if the signer is not trusted.
    private func document(
        _ discovery: ProtectedResourceDiscovery, _ faults: inout [ChainReport.Finding]
    ) async throws(DiscoveryError) -> DiscoveredMetadata {
        let location = metadataLocations.advertised
        do throws(DiscoveryError) {
            return try await discovery.metadata(at: location, challengedAt: identifier.text)
        } catch {
            guard error == .signedMetadata(.untrustedIssuer) else { throw error }
        }
        // A client that has the key from elsewhere can continue.
        faults.append(finding(.signedMetadataUntrusted))
        let lenient = selfDiscovery(through: discovery.fetcher, signedMetadata: .ignored)
        return try await lenient.metadata(at: location, challengedAt: identifier.text)
    }

    // RFC 9728 §5.1.
    private func checkChallenge(_ discovery: ProtectedResourceDiscovery) async -> [ChainReport.Finding] {
        var answer: FetchResponse
        do throws(DiscoveryError) {
            answer = try await discovery.answer(at: identifier.text)
            // A route with an optional token: the gate still challenges whoever presents a bad one.
            if (200..<300).contains(answer.status.code) {
                let refused = try await discovery.answer(at: identifier.text, credentials: badCredentials)
                if refused.status == .unauthorized { answer = refused }
            }
        } catch {
            return [finding(.resourceUnreachable, error.description)]
        }
        guard answer.status == .unauthorized else {
            return [finding(.challengeMissing, "The answer has status \(answer.status.code).")]
        }
        let lines = answer.fields.values(of: .wwwAuthenticate)
        guard let challenges = try? ReceivedChallenge.list(in: lines) else {
            return [finding(.challengeMalformed)]
        }
        let named = ReceivedChallenge.metadataURL(in: challenges)
        guard let named, named.utf8.elementsEqual(metadataLocations.advertised.utf8) else {
            let expected = metadataLocations.advertised
            let detail = named.map { "\"\(ForeignText.shown($0))\", not \"\(expected)\"" }
            return [finding(.challengeMismatch, detail ?? "It names none; \(expected) is expected.")]
        }
        return agrees(challenges) ? [] : [finding(.challengeDiffers)]
    }

    /// Credentials outside of the alphabet of tokens, in a scheme that the resource takes.
    ///
    /// RFC 9110 §11.2.
    private var badCredentials: String {
        (metadata.dpopBoundAccessTokensRequired == true ? "DPoP" : "Bearer") + " *"
    }

    /// Whether challenges name only declared scopes, and the same algorithms as the metadata.
    ///
    /// RFC 9728 §2, RFC 9449 §7.1.
    private func agrees(_ challenges: [ReceivedChallenge]) -> Bool {
        func words(_ text: String?) -> [String] {
            (text ?? "").utf8.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
        }
        let scopes = challenges.flatMap { words($0["scope"]) }.compactMap { Scope(token: $0) }
        let algorithms = metadata.dpopSigningAlgorithmsSupported
        let proofs = challenges.filter { $0.isScheme("DPoP") }.flatMap { words($0["algs"]) }
        return (declaredScopes.isEmpty || scopes.allSatisfy(declaredScopes.contains))
            && (algorithms.isEmpty || Set(proofs) == Set(algorithms))
    }

    private func check(
        _ connection: IssuerConnection, _ survey: ServerSurvey
    ) async -> [ChainReport.Finding] {
        var findings: [ChainReport.Finding] = []
        func note(_ fault: ChainFault, _ detail: String? = nil) {
            findings.append(.init(fault: fault, subject: connection.issuer, detail: detail))
        }
        let isListed = metadata.authorizationServers.contains {
            $0.utf8.elementsEqual(connection.issuer.utf8)
        }
        if isListed || connection.usesDiscovery {
            do throws(DiscoveryError) {
                let server = try await survey.discover(connection, at: time)
                for fault in listingFaults(of: server) { note(fault) }
            } catch {
                note(ChainFault(ofServer: error), error.description)
            }
        }
        if takesJWTs, await !connection.canVerifyTokens(at: time.uptime()) {
            note(.keysUnusable, await connection.keyFault?.description)
        }
        if let fault = await survey.introspectionFault(of: connection) {
            let isRefused = [.rejectedCredentials, .rejectedAssertion].contains(fault.cause)
            note(isRefused ? .introspectionRefused : .introspectionUnusable, fault.description)
        }
        return findings
    }

    /// The faults of the server's lists of resources and scopes.
    private func listingFaults(of server: DiscoveredAuthorizationServer) -> [ChainFault] {
        (server.lists(identifier) == false ? [.resourceNotListed] : [])
            + (server.unlistedScopes(among: declaredScopes).isEmpty ? [] : [.scopesNotListed])
    }
}

extension ChainFault {
    /// Creates the fault for an error of the resource's own document.
    fileprivate init(ofDocument error: DiscoveryError) {
        switch error {
        case .status: self = .metadataStatus
        case .wrongMediaType: self = .metadataMediaType
        case .malformedDocument: self = .metadataMalformed
        case .invalidMetadata: self = .metadataInvalid
        case .resourceMismatch: self = .resourceMismatch
        case .signedMetadata: self = .signedMetadataInvalid
        default: self = .metadataUnreachable
        }
    }

    /// Creates the fault for an error of an authorization server.
    fileprivate init(ofServer error: DiscoveryError) {
        switch error.cause {
        case .issuerMismatch: self = .issuerMismatch
        case .insecureURL: self = .insecureEndpoint
        default: self = .discoveryFailed
        }
    }
}
