// SPDX-License-Identifier: MIT

/// A profile whose requirements a resource meets in addition to the RFCs.
public enum ResourceProfile: Sendable, Hashable {
    /// No additional requirements.
    case general
    /// The Model Context Protocol's authorization specification (2025-06-18 to 2026-07-28).
    ///
    /// The metadata must name at least one authorization server, and the header as the only place for tokens;
    /// tokens must be for this resource and no other audience; a request with an `Origin` that is neither the
    /// resource's own nor listed is refused with 403 before any other check. A configuration that contradicts
    /// this is invalid. DPoP proofs may differ from the clock by 300 seconds, unless the policy says less.
    ///
    /// - Parameter allowedOrigins: The origins of web pages that may call, each as a browser writes it:
    ///   `https://app.example.com`.
    case mcp(allowedOrigins: [String] = [])
}

extension ResourceProfile {
    /// Returns the metadata, completed by the profile.
    func completed(_ metadata: ProtectedResourceMetadata) -> ProtectedResourceMetadata {
        guard case .mcp = self, metadata.bearerMethodsSupported == nil else { return metadata }
        var metadata = metadata
        metadata.bearerMethodsSupported = [.header]
        return metadata
    }

    /// Returns the rules for tokens, completed by the profile.
    func completed(_ tokens: TokenPolicy) -> TokenPolicy {
        guard case .mcp = self else { return tokens }
        var tokens = tokens
        tokens.dpop = tokens.dpop.completed(withWindow: DPoPPolicy.windowOfMCP)
        return tokens
    }
}

extension ProtectedResource.Configuration {
    /// The contradictions between the configuration and the profile.
    func profileProblems() -> [Problem] {
        guard case .mcp = profile else { return [] }
        var problems: [Problem] = []
        func demand(_ holds: Bool, _ place: String, _ sentence: String) {
            if !holds { problems.append(Problem(path: "\(path).\(place)", sentence)) }
        }
        demand(
            !metadata.authorizationServers.isEmpty, "metadata.authorization_servers",
            "The metadata of an MCP server must name at least one authorization server.")
        let others = metadata.bearerMethodsSupported?.filter { $0 != .header } ?? []
        demand(
            others.isEmpty, "metadata.bearer_methods_supported",
            "An MCP server accepts tokens only in the Authorization field, not in the query or the body.")
        let own = metadata.resource.audiences
        let foreign = (tokens.audiences ?? []).filter { audience in
            !own.contains { $0.utf8.elementsEqual(audience.utf8) }
        }
        demand(
            foreign.isEmpty, "tokens.audiences",
            "An MCP server accepts only tokens issued for itself (RFC 8707 §2).")
        for (index, issuer) in issuers.enumerated() {
            demand(
                issuer.audienceSource == nil, "trusted_issuers[\(index)].audience_from",
                "An MCP server accepts only tokens whose aud names it (RFC 8707 §2).")
        }
        demand(
            tokens.dpop.proofMaxAge <= DPoPPolicy.windowOfMCP, "tokens.dpop.proof_max_age_seconds",
            "An MCP server accepts a DPoP proof for at most 300 seconds (MCP, SEP-1932).")
        demand(
            tokens.introspectionAudience == .required, "tokens.introspection_audience",
            "An MCP server must require the audience in introspection responses.")
        return problems
    }
}
