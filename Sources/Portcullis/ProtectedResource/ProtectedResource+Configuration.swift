// SPDX-License-Identifier: MIT

import PortcullisJOSE

extension ProtectedResource {
    /// The complete declaration of a resource, before validation.
    ///
    ///     var configuration = ProtectedResource.Configuration(metadata, trusting: [issuer])
    ///     configuration.tokens.leeway = .seconds(10)
    ///     let notes = try ProtectedResource(validating: configuration)
    ///
    /// RFC 9728 §2.
    public struct Configuration: Sendable {
        /// The resource's metadata.
        ///
        /// Every authorization server listed there must be trusted.
        public var metadata: ProtectedResourceMetadata
        /// The authorization servers whose tokens are accepted; at most one that introspects.
        public var issuers: [TrustedIssuer] {
            didSet { knownTraits = nil }
        }
        private var knownTraits: IssuerTraits?
        /// What is known of the issuers; found at each call unless resources share it.
        package var issuerTraits: IssuerTraits {
            get { knownTraits ?? IssuerTraits(issuers) }
            set { knownTraits = newValue }
        }
        /// The rules for access tokens.
        ///
        /// Default: RFC 9068.
        public var tokens: TokenPolicy
        /// The rules for DPoP proofs; used if the metadata says that the resource accepts DPoP.
        ///
        /// See ``ProtectedResourceMetadata/dpopSigningAlgorithmsSupported`` and
        /// ``ProtectedResourceMetadata/dpopBoundAccessTokensRequired``. RFC 9449 §4.3.
        public var dpop: DPoPPolicy {
            get { tokens.dpop }
            set { tokens.dpop = newValue }
        }
        /// Parameters for every challenge, including `realm`; reserved names are rejected.
        ///
        /// Default none. RFC 6750 §3.
        public var challengeParameters: [(name: String, value: String)]
        /// The scopes that challenges name, except where a token lacks what the request needs.
        ///
        /// Default ``ChallengeScope/route``.
        public var challengeScope = ChallengeScope.route
        /// How long clients may cache the metadata document.
        ///
        /// Default 300 seconds; from 0 to a year.
        public var metadataMaxAge: Duration
        /// Whether the document is also served at the well-known path without the resource's path.
        ///
        /// Default false.
        public var rootAlias: Bool
        /// Further locations of the metadata document, and its signature.
        ///
        /// Default none.
        public var publishing = MetadataPublishing()
        /// The profile whose additional requirements the resource meets.
        ///
        /// Default ``ResourceProfile/general``.
        public var profile = ResourceProfile.general
        /// The HTTP client for keys and introspection; `nil` for the package's own.
        ///
        /// Default `nil`.
        public var fetcher: (any Fetcher)?
        /// The clocks.
        ///
        /// Default the machine's.
        public var time: TimeSource
        /// Called with each event that an operator should know about.
        ///
        /// Default: does nothing. Must not block.
        public var onEvent: @Sendable (ResourceEvent) -> Void
        /// Connections shared by resources that trust the same issuers.
        package var connectionPool: IssuerConnections
        /// Used proofs and nonce keys, carried over from an earlier configuration.
        package var proofMemories: ProofMemories
        /// The path of the resource in a configuration file, for messages.
        package var path: String
        /// The warnings about the metadata, of a caller that has checked it; `nil`: it is checked here.
        package var metadataWarnings: [String]?

        /// Makes a configuration with the defaults.
        public init(_ metadata: ProtectedResourceMetadata, trusting issuers: [TrustedIssuer]) {
            self.init(metadata, trusting: issuers, tokens: .default)
        }

        package init(
            _ metadata: ProtectedResourceMetadata, trusting issuers: [TrustedIssuer],
            tokens: TokenPolicy = .default,
            challengeParameters: [(name: String, value: String)] = [],
            metadataMaxAge: Duration = .seconds(300), rootAlias: Bool = false,
            publishing: MetadataPublishing = MetadataPublishing(), profile: ResourceProfile = .general,
            fetcher: (any Fetcher)? = nil, time: TimeSource = .system,
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
            self.publishing = publishing
            self.profile = profile
            self.fetcher = fetcher
            self.time = time
            self.onEvent = onEvent
            self.connectionPool = connectionPool
            self.proofMemories = proofMemories
            self.path = path
        }
    }
}

extension ProtectedResource.Configuration {
    typealias Problem = ConfigurationError.Problem

    /// The same, with what is known of the issuers found once for all checks.
    func withIssuerTraits() -> Self {
        var copy = self
        copy.issuerTraits = issuerTraits
        return copy
    }

    /// The values derived from a valid configuration.
    struct Checked {
        /// The metadata, completed by the profile.
        let metadata: ProtectedResourceMetadata
        let originCheck: OriginCheck?
        let format: TokenPolicy.Format
        let challengeParameters: ChallengeParameters
        let warnings: [String]
    }

    /// Validates the whole configuration and throws all problems at once.
    func checked() throws(ConfigurationError) -> Checked {
        let metadata = profile.completed(metadata)
        let findings =
            metadataWarnings.map { ProtectedResourceMetadata.Findings(warnings: $0) }
            ?? metadata.findings(at: "\(path).metadata")
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
                .init(
                    path: "\(path).metadata_max_age_seconds",
                    "The value must be from 0 seconds to one year (31536000)."))
        }
        if !problems.isEmpty { throw ConfigurationError(problems) }
        return Checked(
            metadata: metadata, originCheck: originCheck,
            format: format, challengeParameters: parameters,
            warnings: findings.warnings + challengeWarnings + signingWarnings
                + issuerTraits.tenantWarnings + relaxationWarnings())
    }

    private var challengeWarnings: [String] {
        guard challengeScope == .resource, metadata.scopesSupported.isEmpty else { return [] }
        return [
            "challenge_scope is \"resource\", and the metadata lists no scopes_supported: challenges name no scope."
        ]
    }

    private var signingWarnings: [String] {
        guard publishing.signing != nil, metadata.jwksURI == nil else { return [] }
        return [
            "The metadata is signed but has no jwks_uri: clients need the key in advance (RFC 9728 §3.3)."
        ]
    }

    /// The largest metadata document that clients read, in bytes.
    static let maxDocumentByteCount = 1_048_576

    /// Makes the documents, including the first signature.
    func makePublisher(_ metadata: ProtectedResourceMetadata) throws(ConfigurationError) -> MetadataPublisher
    {
        let publisher = try signedPublisher(metadata)
        // Nearly every document is so short that nobody need write it to know.
        if publishing.signing == nil, metadata.hasDocument(within: Self.maxDocumentByteCount) {
            return publisher
        }
        guard publisher.byteCount(of: metadata, at: time.now()) <= Self.maxDocumentByteCount else {
            throw ConfigurationError(
                "The document with its signature exceeds 1 MiB, the most that clients read.",
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
                publishing: publishing.publishedKeys, now: time.now())
        } catch {
            throw ConfigurationError(
                "Signing the metadata with this key failed.", path: "\(path).signed_metadata.private_key"
            )
        }
    }

    /// Whether the document may have other locations than the one that follows from the identifier.
    var hasFurtherLocations: Bool {
        rootAlias || publishing.advertisedURL != nil || !publishing.additionalSuffixes.isEmpty
    }

    func connections() -> [IssuerConnection] {
        let names = issuerTraits.names
        let connections = connectionPool.connections(to: names, making: makeConnections)
        let advertised = AdvertisedResource(metadata)
        let listed = metadata.authorizationServers.map(ExactText.init)
        let isEachListed = listed == names
        let some = isEachListed ? [] : Set(listed)
        for (connection, name) in zip(connections, names) where isEachListed || some.contains(name) {
            connection.advertised.add(advertised)
        }
        return connections
    }

    private func makeConnections() -> [IssuerConnection] {
        let issuers = issuerTraits.singleIssuers
        let fetcher = fetcher ?? (Self.isNetworkNeeded(issuers) ? HTTPClientFetcher() : NoFetcher())
        return issuers.map { issuer in
            connectionPool.connection(to: issuer.issuer) {
                IssuerConnection(issuer, fetcher: fetcher, time: time, onEvent: onEvent)
            }
        }
    }

    func tenantDirectories() -> [TenantDirectory] {
        guard issuerTraits.hasPatterns else { return [] }
        let issuers = issuers.filter { $0.pattern != nil }
        let fetcher = fetcher ?? (Self.isNetworkNeeded(issuers) ? HTTPClientFetcher() : NoFetcher())
        return issuers.compactMap { issuer in
            issuer.pattern.map { pattern in
                connectionPool.directory(of: pattern.text) {
                    TenantDirectory(pattern, issuer, fetcher: fetcher, time: time, onEvent: onEvent)
                }
            }
        }
    }

    // An issuer with fixed keys and without introspection and status lists needs no HTTP client.
    private static func isNetworkNeeded(_ issuers: [TrustedIssuer]) -> Bool {
        issuers.contains { issuer in
            if issuer.fetcher != nil { return false }
            if case .fixed? = issuer.keys {
                return issuer.introspection != nil || issuer.statusLists.mayFetch
            }
            return true
        }
    }

    private var format: TokenPolicy.Format {
        if let format = tokens.format { return format }
        guard issuerTraits.introspect else { return .jwt }
        return issuerTraits.haveKeys ? .any : .opaque
    }

    // The metadata must not advertise what the resource does not do.
    private func presentationProblems() -> [Problem] {
        let place = "\(path).metadata"
        var problems: [Problem] = []
        for (index, name) in metadata.dpopSigningAlgorithmsSupported.enumerated()
        where SignatureAlgorithm(rawValue: name) == nil {
            problems.append(
                Problem(
                    path: "\(place).dpop_signing_alg_values_supported[\(index)]",
                    "DPoP proofs with this algorithm can't be verified; remove it."))
        }
        let presentation = Presentation(metadata)
        if !presentation.takesBearer, !presentation.takesDPoP {
            problems.append(
                Problem(
                    path: "\(place).bearer_methods_supported",
                    "Accept bearer tokens in at least one place, or DPoP; otherwise every request is refused."
                ))
        }
        for (index, evaluator) in tokens.authorizationDetailEvaluators.enumerated()
        where !metadata.authorizationDetailsTypesSupported.contains(where: {
            $0.utf8.elementsEqual(evaluator.type.utf8)
        }) {
            problems.append(
                Problem(
                    path: "\(path).tokens.authorization_details[\(index)]",
                    "List this type in the metadata's authorization_details_types_supported."
                ))
        }
        return problems
    }
}

extension ProtectedResourceMetadata {
    /// Whether the document has at most so many bytes for certain, told from the lengths of its values.
    ///
    /// False also where it would have to be written to know.
    fileprivate func hasDocument(within count: Int) -> Bool {
        guard extensions.members.isEmpty else { return false }
        let pages = [resourceName, resourceDocumentation, resourcePolicyURI, resourceTermsOfServiceURI]
        let lists = [
            authorizationServers, resourceSigningAlgorithmsSupported, authorizationDetailsTypesSupported,
            dpopSigningAlgorithmsSupported,
        ]
        var length = resource.text.utf8.count
        // With quotation marks and commas.
        for list in lists { length += list.reduce(0) { $0 + $1.utf8.count + 3 } }
        length += scopesSupported.reduce(0) { $0 + $1.name.utf8.count + 3 }
        length += [jwksURI, signedMetadata].reduce(0) { $0 + ($1?.utf8.count ?? 0) }
        for page in pages {
            length += page.text?.utf8.count ?? 0
            length += page.variants.reduce(0) { $0 + $1.tag.utf8.count + $1.text.utf8.count + 40 }
        }
        // RFC 8259 §7: an escape has up to six bytes. All else that it can have is shorter than 1000.
        return length * 6 + 1000 <= count
    }
}
