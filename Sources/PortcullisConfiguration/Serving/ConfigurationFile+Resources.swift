// SPDX-License-Identifier: MIT

package import Portcullis
import PortcullisJOSE
package import PortcullisServer
import PortcullisTransport

extension ConfigurationFile {
    /// Creates the protected resources, in the order of the file.
    ///
    /// Reads the certificates that the file names.
    ///
    /// - Parameters:
    ///   - file: The path of the configuration file, against which file names are resolved.
    ///   - connections: The connections to issuers, which the resources share.
    ///   - memories: The replay records of proofs, and the nonce keys.
    ///   - store: The store shared by several processes; `nil` keeps records in this process.
    ///   - onEvent: Receives events for operators. Must not block.
    /// - Throws: ``InvalidConfiguration`` for certificates that cannot be read, and for problems that only
    ///   the library finds.
    package func makeResources(
        relativeTo file: String, sharing connections: IssuerConnections = IssuerConnections(),
        remembering memories: ProofMemories = ProofMemories(), storingIn store: SharedStore? = nil,
        onEvent: @escaping @Sendable (ResourceEvent) -> Void
    ) throws(InvalidConfiguration) -> [ProtectedResource] {
        let findings = FindingCollector()
        let fetcher = makeFetcher(JSONPath.root, findings)
        let trusted = authorizationServers.compactMap {
            makeIssuer($0, relativeTo: file, storingIn: store, findings)
        }
        var issuers = SharedIssuers(trusted)
        var lists = SharedLists()
        var made: [ProtectedResource] = []
        made.reserveCapacity(resources.count)
        for resource in resources {
            // The issuer's own problems have been reported at its path.
            guard let issuers = issuers.list(of: resource) else { continue }
            var configuration = ProtectedResource.Configuration(
                lists.compacted(resource.metadata), trusting: issuers.list,
                tokens: lists.compacted(
                    resource.makePolicy(relativeTo: file, storingIn: store, findings)),
                challengeParameters: resource.challengeParameters, metadataMaxAge: resource.metadataMaxAge,
                rootAlias: resource.isRootAlias, fetcher: fetcher, onEvent: onEvent,
                connectionPool: connections, proofMemories: memories, path: resource.path)
            configuration.issuerTraits = issuers.traits
            configuration.metadataWarnings = resource.metadataWarnings
            configuration.profile = resource.profile
            configuration.challengeScope = resource.challengeScope
            configuration.publishing = resource.publishing.makePublishing(relativeTo: file, findings)
            configuration.publishing.publishedKeys = resource.assertionKeys(relativeTo: file)
            do throws(ConfigurationError) {
                made.append(try ProtectedResource(configuration))
            } catch {
                findings.add(error, at: JSONPath(text: resource.path))
            }
        }
        if findings.hasErrors { throw InvalidConfiguration(findings: findings.findings) }
        return made
    }

    /// The server's limits on clients.
    package var serverLimits: Server.Limits {
        var limits = Server.Limits()
        limits.maxConnectionCount = server.limits.maxConnectionCount
        limits.maxTargetByteCount = server.limits.maxTargetByteCount
        limits.maxHeaderByteCount = server.limits.maxHeaderByteCount
        limits.maxFieldCount = server.limits.maxFieldCount
        limits.maxBodyByteCount = server.limits.maxBodyByteCount
        limits.headerTimeout = server.limits.headerTimeout
        limits.bodyTimeout = server.limits.bodyTimeout
        limits.idleTimeout = server.limits.idleTimeout
        limits.writeTimeout = server.limits.writeTimeout
        return limits
    }

    /// Creates the server's configuration.
    package func makeServerConfiguration(
        log: @escaping Server.Log, metrics: (any ServerMetrics)? = nil, accessLog: AccessLog? = nil
    ) -> Server.Configuration {
        var configuration = Server.Configuration(
            eventLoopCount: server.eventLoopCount, limits: serverLimits,
            shutdownGracePeriod: server.shutdownGrace, log: log, metrics: metrics)
        configuration.proxies = server.proxies
        configuration.traces = server.traces
        configuration.accessLog = accessLog
        configuration.problemDetails = server.problemDetails
        configuration.assignsRequestIDs = server.assignsRequestIDs
        return configuration
    }

    /// Opens the access log, or returns `nil` if the file configures none.
    ///
    /// - Parameter file: The path of the configuration file, against which the log's name is resolved.
    package func makeAccessLog(relativeTo file: String) throws(InvalidConfiguration) -> AccessLog? {
        guard let format = server.accessLog else { return nil }
        guard let name = server.accessLogFile else { return .standardError(format) }
        do throws(LogFileError) {
            return try .file(Self.resolve(name, relativeTo: file), format)
        } catch {
            let findings = FindingCollector()
            findings.error(
                JSONPath.root["server"]["access_log_file"],
                "cannot be opened: \(error); must be a file that can be appended to")
            throw InvalidConfiguration(findings: findings.findings)
        }
    }

    /// The keys whose values differ from an earlier file's and take effect only after a restart.
    package func changesForRestart(from earlier: ConfigurationFile) -> [String] {
        let pairs = [
            ("host", server.host.utf8.elementsEqual(earlier.server.host.utf8)),
            ("port", server.port == earlier.server.port),
            ("unix_socket_mode", server.unixSocketMode == earlier.server.unixSocketMode),
            ("unix_socket_owner", server.unixSocketOwner == earlier.server.unixSocketOwner),
            ("traces", server.traces == earlier.server.traces),
            ("metrics_names", server.metricsNames == earlier.server.metricsNames),
            ("event_loops", server.eventLoopCount == earlier.server.eventLoopCount),
            ("shutdown_grace_seconds", server.shutdownGrace == earlier.server.shutdownGrace),
            (
                "trusted_proxies, forwarded, proxy_protocol or client_cert_field, _name or _format",
                server.proxies == earlier.server.proxies
            ),
            ("access_log", server.accessLog == earlier.server.accessLog),
            ("access_log_file", server.accessLogFile == earlier.server.accessLogFile),
            ("problem_details", server.problemDetails == earlier.server.problemDetails),
            ("request_ids", server.assignsRequestIDs == earlier.server.assignsRequestIDs),
            ("tls", (server.tls == nil) == (earlier.server.tls == nil)),
        ]
        let admin =
            (admin == earlier.admin ? [] : ["$.admin"])
            + (selfCheck == earlier.selfCheck ? [] : ["$.self_check"])
        return pairs.filter { !$0.1 }.map { "$.server.\($0.0)" } + admin
    }
}

extension AuthorizationServerSettings {
    /// The issuer, without the settings that are read from files.
    var trustedIssuer: TrustedIssuer {
        var trusted = TrustedIssuer(issuer: issuer)
        if let jwks {
            trusted.keys = .fixed(jwks)
        } else if let jwksURI {
            trusted.keys = .remote(jwksURI)
        } else if usesDiscovery {
            trusted.keys = .discovered
        }
        trusted.algorithms = algorithms
        trusted.tenants = tenants
        trusted.maxTenantCount = maxTenantCount
        trusted.allowsInsecureLoopback = allowsInsecureLoopback
        trusted.timeout = timeout
        trusted.maxResponseByteCount = maxResponseByteCount
        trusted.keyFreshness = jwksRefresh
        trusted.keyCooldown = jwksCooldown
        trusted.keyStaleness = jwksStale
        trusted.claims = claims.mapping
        trusted.requiredClaimValues = claims.requiredValues
        trusted.audienceSource = claims.audienceSource
        trusted.statusLists = statusLists
        return trusted
    }
}

extension TokenSettings {
    var policy: TokenPolicy {
        var policy = TokenPolicy()
        policy.format = format
        policy.algorithms = algorithms
        policy.acceptedTypes = types
        policy.requiredClaims = requiredClaims
        policy.audiences = audiences
        policy.leeway = leeway
        policy.scopeClaims = scopeClaims
        for (scope, implied) in scopeImplications {
            guard let scope = Scope(token: scope) else { continue }
            policy.scopeImplications[scope] = implied.compactMap(Scope.init(token:))
        }
        policy.maxTokenByteCount = maxTokenByteCount
        policy.verifiedCacheEntryCount = verifiedCacheEntryCount
        policy.introspectionCacheLifetime = introspectionCache
        policy.inactiveCacheLifetime = inactiveCache
        policy.introspectionAudience = introspectionAudience
        policy.dpop = dpop.policy
        policy.challengesAuthorizationDetails = challengesAuthorizationDetails
        return policy
    }
}
