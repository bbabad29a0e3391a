// SPDX-License-Identifier: MIT

/// Whose demands a resource meets beyond those of the RFCs.
public enum ResourceProfile: Sendable, Hashable {
    /// Nobody's.
    case general
    /// Those of the Model Context Protocol's authorization specification (2025-06-18 to 2026-07-28) on an MCP server.
    ///
    /// The metadata names at least one authorization server and says that tokens come in the header, which is the only place where
    /// they are taken; tokens are for this resource and no other audience; a request with an `Origin` that is neither the resource's
    /// own nor listed is refused with 403 before anything else. What contradicts this is refused at start.
    ///
    /// - Parameter allowedOrigins: The origins of web pages that may call, each as a browser writes it: `https://app.example.com`.
    case mcp(allowedOrigins: [String] = [])
}

extension ResourceProfile {
    /// Metadata with what the profile adds.
    func completed(_ metadata: ProtectedResourceMetadata) -> ProtectedResourceMetadata {
        guard case .mcp = self, metadata.bearerMethodsSupported == nil else { return metadata }
        var metadata = metadata
        metadata.bearerMethodsSupported = [.header]
        return metadata
    }
}

extension ProtectedResource.Configuration {
    /// What the profile forbids and the configuration has, or demands and it lacks.
    func profileProblems() -> [Problem] {
        guard case .mcp = profile else { return [] }
        var problems: [Problem] = []
        func demand(_ holds: Bool, _ place: String, _ sentence: String) {
            if !holds { problems.append(Problem(path: "\(path).\(place)", sentence)) }
        }
        demand(
            !metadata.authorizationServers.isEmpty, "metadata.authorization_servers",
            "The metadata of an MCP server names at least one authorization server.")
        let others = metadata.bearerMethodsSupported?.filter { $0 != .header } ?? []
        demand(
            others.isEmpty, "metadata.bearer_methods_supported",
            "An MCP server takes tokens in the Authorization field only, never in the query or the body.")
        let own = metadata.resource.audiences
        let foreign = (tokens.audiences ?? []).filter { audience in
            !own.contains { $0.utf8.elementsEqual(audience.utf8) }
        }
        demand(
            foreign.isEmpty, "tokens.audiences",
            "An MCP server takes only tokens that were issued for itself (RFC 8707 §2).")
        demand(
            tokens.introspectionAudience == .required, "tokens.introspection_audience",
            "An MCP server takes only tokens that say whom they are for.")
        return problems
    }
}
