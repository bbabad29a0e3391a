// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// Everything that a resource is declared with, before it is checked.
package struct GateConfiguration: Sendable {
    package var metadata: ProtectedResourceMetadata
    package var issuers: [TrustedIssuer]
    package var tokens: TokenPolicy
    package var challengeParameters: [(name: String, value: String)]
    package var metadataMaxAge: Duration
    package var rootAlias: Bool
    /// More places of the metadata, and its signature.
    package var publishing = MetadataPublishing()
    /// Whose further demands the resource meets.
    package var profile = ResourceProfile.general
    package var fetcher: (any Fetcher)?
    package var time: TimeSource
    package var onEvent: @Sendable (ResourceEvent) -> Void
    /// Shared by resources that trust the same issuers.
    package var connectionPool: IssuerConnections
    /// What is known of proofs and nonces from an earlier configuration.
    package var proofMemories: ProofMemories
    /// Where the resource stands in a configuration file, for the messages.
    package var path: String

    package init(
        metadata: ProtectedResourceMetadata, issuers: [TrustedIssuer], tokens: TokenPolicy = .default,
        challengeParameters: [(name: String, value: String)] = [], metadataMaxAge: Duration = .seconds(300),
        rootAlias: Bool = false, fetcher: (any Fetcher)? = nil, time: TimeSource = .system,
        onEvent: @escaping @Sendable (ResourceEvent) -> Void = { _ in },
        connectionPool: IssuerConnections = IssuerConnections(),
        proofMemories: ProofMemories = ProofMemories(), path: String = "$"
    ) {
        self.metadata = metadata
        self.issuers = issuers
        self.tokens = tokens
        self.challengeParameters = challengeParameters
        self.metadataMaxAge = metadataMaxAge
        self.rootAlias = rootAlias
        self.fetcher = fetcher
        self.time = time
        self.onEvent = onEvent
        self.connectionPool = connectionPool
        self.proofMemories = proofMemories
        self.path = path
    }

    typealias Problem = ConfigurationError.Problem

    /// What follows from a configuration without problems.
    struct Checked {
        /// The metadata with what the profile adds.
        let metadata: ProtectedResourceMetadata
        let originCheck: OriginCheck?
        let format: TokenPolicy.Format
        let challengeParameters: ChallengeParameters
        let warnings: [String]
    }

    /// Checks all of it and reports everything that is wrong at once.
    func checked() throws(ConfigurationError) -> Checked {
        let metadata = profile.completed(metadata)
        let findings = metadata.findings(at: "\(path).metadata")
        var problems = findings.problems
        problems += profileProblems()
        if findings.problems.isEmpty, let sentence = metadata.signedMetadataObjection {
            problems.append(Problem(path: "\(path).metadata.signed_metadata", sentence))
        }
        var originCheck: OriginCheck?
        if case .mcp(let origins) = profile {
            originCheck = OriginCheck(
                origins, of: metadata.resource, at: "\(path).allowed_origins", &problems)
        }
        problems += presentationProblems()
        problems += tokens.problems(at: "\(path).tokens")
        problems += issuerProblems()
        let parameters = ChallengeParameters(
            challengeParameters, at: "\(path).challenge_parameters", problems: &problems)
        problems += publishing.problems(for: metadata.resource, at: path)
        problems +=
            publishing.signing?.problems(
                for: metadata, maxAge: metadataMaxAge, at: "\(path).signed_metadata") ?? []
        if metadataMaxAge < .zero || metadataMaxAge > .seconds(31_536_000) {
            problems.append(
                .init(path: "\(path).metadata_max_age_seconds", "This is from 0 seconds to a year."))
        }
        if !problems.isEmpty { throw ConfigurationError(problems) }
        return Checked(
            metadata: metadata, originCheck: originCheck,
            format: format, challengeParameters: parameters, warnings: findings.warnings + signingWarnings)
    }

    private var signingWarnings: [String] {
        guard publishing.signing != nil, metadata.jwksURI == nil else { return [] }
        return [
            "The metadata is signed but has no jwks_uri, so clients have to know the key already (RFC 9728 §3.3)."
        ]
    }

    /// What clients read of a document at most, in bytes.
    static let maxDocumentByteCount = 1_048_576

    /// The documents; the first signature is made here.
    func makePublisher(_ metadata: ProtectedResourceMetadata) throws(ConfigurationError) -> MetadataPublisher
    {
        let publisher = try signedPublisher(metadata)
        guard publisher.documents(at: time.now()).metadata.body.count <= Self.maxDocumentByteCount else {
            throw ConfigurationError(
                "The document, with its signature, is larger than the 1 MiB that clients read.",
                path: "\(path).metadata")
        }
        return publisher
    }

    private func signedPublisher(
        _ metadata: ProtectedResourceMetadata
    ) throws(ConfigurationError) -> MetadataPublisher {
        do throws(JOSEError) {
            return try MetadataPublisher(
                metadata, maxAge: Int(metadataMaxAge.components.seconds), signing: publishing.signing,
                now: time.now())
        } catch {
            throw ConfigurationError(
                "The metadata could not be signed with this key.", path: "\(path).signed_metadata.private_key"
            )
        }
    }

    func connections() -> [IssuerConnection] {
        let fetcher = fetcher ?? (isNetworkNeeded ? HTTPClientFetcher() : NoFetcher())
        return issuers.map { issuer in
            let connection = connectionPool.connection(to: issuer.issuer) {
                IssuerConnection(issuer, fetcher: fetcher, time: time, onEvent: onEvent)
            }
            if metadata.authorizationServers.contains(where: { Self.areSame($0, issuer.issuer) }) {
                connection.advertised.add(metadata)
            }
            return connection
        }
    }

    // Given keys have no need of a client.
    private var isNetworkNeeded: Bool {
        issuers.contains { issuer in
            if issuer.fetcher != nil { return false }
            if case .fixed? = issuer.keys { return issuer.introspection != nil }
            return true
        }
    }

    private var format: TokenPolicy.Format {
        if let format = tokens.format { return format }
        guard issuers.contains(where: { $0.introspection != nil }) else { return .jwt }
        return issuers.contains { $0.keys != nil } ? .any : .opaque
    }

    // What is published is what is done.
    private func presentationProblems() -> [Problem] {
        let place = "\(path).metadata"
        var problems: [Problem] = []
        for (index, name) in metadata.dpopSigningAlgorithmsSupported.enumerated()
        where SignatureAlgorithm(rawValue: name) == nil {
            problems.append(
                Problem(
                    path: "\(place).dpop_signing_alg_values_supported[\(index)]",
                    "Proofs with this algorithm can't be verified here."))
        }
        let presentation = Presentation(metadata)
        if !presentation.takesBearer, !presentation.takesDPoP {
            problems.append(
                Problem(
                    path: "\(place).bearer_methods_supported",
                    "Without a place for bearer tokens and without DPoP nobody could use the resource."))
        }
        for (index, evaluator) in tokens.authorizationDetailEvaluators.enumerated()
        where !metadata.authorizationDetailsTypesSupported.contains(where: {
            $0.utf8.elementsEqual(evaluator.type.utf8)
        }) {
            problems.append(
                Problem(
                    path: "\(path).tokens.authorization_details[\(index)]",
                    "The metadata lists every type that is evaluated, in authorization_details_types_supported."
                ))
        }
        return problems
    }
}
