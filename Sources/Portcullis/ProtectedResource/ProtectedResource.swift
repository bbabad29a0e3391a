// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport
import Synchronization

/// Something that only requests with a good access token may use: what it is, whom it trusts, what it demands.
///
/// Made once, at start-up; cheap to copy, and all copies share what they have learnt. Everything a client needs is
/// derived from it: the metadata document, the challenge, the audience. Works with any server; see
/// ``authorize(_:requiring:in:)``.
///
/// RFC 9728 §2, RFC 6750 §3.
public struct ProtectedResource: Sendable {
    let gate: Gate

    /// Declares a resource in code.
    ///
    /// Its metadata lists the issuers, the scopes, and that tokens come in the `Authorization` field. Traps, with a
    /// sentence, on anything that can't work; values known at run time only go through
    /// ``init(validating:)``.
    ///
    /// - Parameters:
    ///   - identifier: The resource's URL, which is also the audience of its tokens.
    ///   - issuers: The authorization servers whose tokens are taken, the preferred one first.
    ///   - scopes: What clients may ask for.
    ///   - name: A name for people.
    ///   - tokens: What is demanded of tokens. Default that of RFC 9068.
    ///   - dpop: Whether tokens may or must be bound to a key of the client, and what is demanded of the proofs. Default neither.
    ///   - fetcher: The way to the network, for keys and introspection; nothing for the package's own.
    ///   - time: The clocks. Default the machine's.
    ///   - onEvent: Is told what an operator should know. Must not wait.
    ///   - file: The file that a mistake is reported in. Default: the caller's.
    ///   - line: The line that a mistake is reported in. Default: the caller's.
    ///
    /// RFC 9728 §2.
    public init(
        _ identifier: ResourceIdentifier, trusting issuers: TrustedIssuer..., scopes: [Scope] = [],
        name: String? = nil, tokens: TokenPolicy = .default, dpop: DPoPUse = .none,
        fetcher: (any Fetcher)? = nil,
        time: TimeSource = .system, onEvent: @escaping @Sendable (ResourceEvent) -> Void = { _ in },
        file: StaticString = #fileID, line: UInt = #line
    ) {
        var metadata = ProtectedResourceMetadata(resource: identifier)
        metadata.authorizationServers = issuers.map(\.issuer)
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
            gate = try Gate(
                Configuration(
                    metadata, trusting: issuers, tokens: tokens, fetcher: fetcher, time: time,
                    onEvent: onEvent))
            gate.observeSharedCaches()
        } catch {
            endForMistake(error.inShortDeclaration().description, file: file, line: line)
        }
    }

    /// Declares a resource from values that are known at run time only.
    ///
    /// - Throws: ``ConfigurationError`` with everything that is wrong.
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
    /// What the resource says about itself.
    public var metadata: ProtectedResourceMetadata { gate.metadata }
    /// Whether the document is also served at the root of the well-known path.
    package var hasRootAlias: Bool { gate.hasRootAlias }
    /// The scopes that clients may ask for.
    package var declaredScopes: [Scope] { gate.metadata.scopesSupported }
    /// What is allowed but unwise, a sentence each, for the log at start-up.
    package var warnings: [String] { gate.warnings }

    /// The scopes of a requirement that the resource does not declare: a typing error in all likelihood.
    ///
    /// None where the resource declares no scope at all, since the list is optional. RFC 9728 §2.
    package func undeclaredScopes(in requirement: AccessRequirement) -> [Scope] {
        gate.metadata.scopesSupported.isEmpty
            ? [] : requirement.scopes.scopes.filter { !gate.metadata.scopesSupported.contains($0) }
    }

    /// The types of authorization details in a requirement that the resource does not know, so that nothing meets it.
    ///
    /// RFC 9396 §10.
    package func undeclaredTypes(in requirement: AccessRequirement) -> [String] {
        requirement.authorizationDetails.map(\.type).filter { type in
            !gate.metadata.authorizationDetailsTypesSupported.contains {
                $0.utf8.elementsEqual(type.utf8)
            }
        }
    }

    /// Whether there is an issuer that can be asked about tokens.
    package var canIntrospect: Bool { gate.validator.connections.contains { $0.introspector != nil } }

    /// Starts loading the keys that are not there, so that the first request need not wait.
    ///
    /// Does not wait itself.
    public func warmUp() {
        let now = gate.validator.time.uptime()
        for connection in gate.validator.connections { connection.keys?.refreshInBackground(at: now) }
    }

    /// Whether every issuer has keys that can be used, or needs none.
    ///
    /// Loads missing ones in the background.
    public var isReady: Bool {
        warmUp()
        let now = gate.validator.time.uptime()
        return gate.validator.format == .opaque
            || gate.validator.connections.allSatisfy { $0.keys?.publication.isUsable(at: now) ?? true }
    }

}
