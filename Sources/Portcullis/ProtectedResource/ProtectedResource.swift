// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport
import Synchronization

/// A resource that needs a valid access token: its metadata, its trusted issuers, its rules.
///
/// Create it once, at start-up; copies are cheap and share their caches. The metadata document, the challenge
/// and the audience are derived from it. Works with any server; see ``authorize(_:requiring:in:)``.
///
/// RFC 9728 §2, RFC 6750 §3.
public struct ProtectedResource: Sendable {
    let gate: Gate

    /// Declares a resource in code.
    ///
    /// Its metadata lists the issuers (of a pattern: its listed tenants), the scopes, and the `Authorization` field as the place for tokens.
    /// Traps with a message on an invalid declaration; for values known only at run time use
    /// ``init(validating:)``.
    ///
    /// - Parameters:
    ///   - identifier: The resource's URL, which is also the audience of its tokens.
    ///   - issuers: The authorization servers whose tokens are accepted, the preferred one first.
    ///   - scopes: The scopes that clients may request.
    ///   - name: The human-readable name.
    ///   - tokens: The rules for access tokens. Default: RFC 9068.
    ///   - dpop: Whether tokens may or must be bound to a client key, and the rules for proofs. Default
    ///     `.none`.
    ///   - challengeScope: The scopes that challenges name. Default: those that the request needs.
    ///   - fetcher: The HTTP client for keys and introspection; `nil` for the package's own.
    ///   - time: The clocks. Default the machine's.
    ///   - onEvent: Called with each event that an operator should know about. Must not block.
    ///   - file: The file reported with a mistake. Default: the caller's.
    ///   - line: The line reported with a mistake. Default: the caller's.
    ///
    /// RFC 9728 §2.
    public init(
        _ identifier: ResourceIdentifier, trusting issuers: TrustedIssuer..., scopes: [Scope] = [],
        name: String? = nil, tokens: TokenPolicy = .default, dpop: DPoPUse = .none,
        challengeScope: ChallengeScope = .route, fetcher: (any Fetcher)? = nil,
        time: TimeSource = .system, onEvent: @escaping @Sendable (ResourceEvent) -> Void = { _ in },
        file: StaticString = #fileID, line: UInt = #line
    ) {
        var metadata = ProtectedResourceMetadata(resource: identifier)
        metadata.authorizationServers = issuers.flatMap(\.listedIssuers)
        metadata.scopesSupported = scopes
        metadata.bearerMethodsSupported = [.header]
        metadata.resourceName = LocalizedText(name)
        var tokens = tokens
        if dpop.isAccepted {
            metadata.dpopSigningAlgorithmsSupported = DPoPPolicy.allAlgorithms.map(\.rawValue)
        }
        if dpop.isRequired { metadata.dpopBoundAccessTokensRequired = true }
        if let policy = dpop.policy { tokens.dpop = policy }
        do throws(ConfigurationError) {
            var configuration = Configuration(
                metadata, trusting: issuers, tokens: tokens, fetcher: fetcher, time: time, onEvent: onEvent)
            configuration.challengeScope = challengeScope
            gate = try Gate(configuration)
            gate.observeSharedCaches()
        } catch {
            endForMistake(error.inShortDeclaration().description, file: file, line: line)
        }
    }

    /// Declares a resource from values known only at run time.
    ///
    /// - Throws: ``ConfigurationError`` with all problems.
    ///
    /// RFC 9728 §2.
    public init(validating configuration: Configuration) throws(ConfigurationError) {
        do throws(ConfigurationError) {
            try self.init(configuration)
        } catch {
            throw error.inCode()
        }
    }

    package init(_ configuration: Configuration) throws(ConfigurationError) {
        gate = try Gate(configuration)
        gate.observeSharedCaches()
    }

    /// The resource's identifier.
    public var identifier: ResourceIdentifier { gate.metadata.resource }
    /// The resource's metadata.
    public var metadata: ProtectedResourceMetadata { gate.metadata }
    /// Whether the resource has the profile of an MCP server.
    package var isMCPServer: Bool { gate.originCheck != nil }
    /// Whether the document is also served at the well-known path without the resource's path.
    package var hasRootAlias: Bool { gate.hasRootAlias }
    package var connections: [IssuerConnection] { gate.validator.connections }
    package var time: TimeSource { gate.validator.time }
    /// The HTTP client passed by the host program, if any.
    package var configuredFetcher: (any Fetcher)? { gate.fetcher }
    /// Whether it accepts tokens that are verified with an issuer's keys.
    package var takesJWTs: Bool { gate.validator.format != .opaque }
    /// The scopes that clients may request.
    package var declaredScopes: [Scope] { gate.metadata.scopesSupported }
    /// Warnings about allowed but unwise settings, one sentence each, for the start-up log.
    package var warnings: [String] { gate.warnings }

    /// Returns the scopes of a requirement that the resource does not declare, most likely typing errors.
    ///
    /// Empty if the resource declares no scopes, since the list is optional. RFC 9728 §2.
    package func undeclaredScopes(in requirement: AccessRequirement) -> [Scope] {
        gate.metadata.scopesSupported.isEmpty
            ? [] : requirement.allScopes.filter { !gate.metadata.scopesSupported.contains($0) }
    }

    /// Returns the authorization details types of a requirement that the resource does not list.
    ///
    /// RFC 9396 §10.
    package func undeclaredTypes(in requirement: AccessRequirement) -> [String] {
        requirement.authorizationDetails.map(\.type).filter { type in
            !gate.metadata.authorizationDetailsTypesSupported.contains {
                $0.utf8.elementsEqual(type.utf8)
            }
        }
    }

    /// Whether one of the issuers has introspection.
    package var canIntrospect: Bool { gate.validator.connections.contains { $0.introspector != nil } }

    /// Starts loading missing keys, and status lists that issuers list, so that the first request need not wait.
    ///
    /// Does not wait itself.
    public func warmUp() {
        let now = gate.validator.time.uptime()
        for connection in gate.validator.connections {
            connection.keys?.refreshInBackground(at: now)
            connection.prefetchStatusLists()
        }
        for pattern in gate.validator.patterns { pattern.refreshInBackground(at: now) }
    }

    /// Whether every issuer has usable keys, or needs none.
    ///
    /// Loads missing ones in the background. Tenants of a pattern do not count, since they are not known yet.
    public var isReady: Bool {
        warmUp()
        let now = gate.validator.time.uptime()
        return gate.validator.format == .opaque
            || gate.validator.connections.allSatisfy { $0.keys?.publication.isUsable(at: now) ?? true }
                && gate.validator.patterns.allSatisfy { $0.isReady(at: now) }
    }

}
