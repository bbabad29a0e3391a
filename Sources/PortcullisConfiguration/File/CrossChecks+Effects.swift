// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisServer

/// Warnings about settings that have no effect, or that refuse every token.
extension CrossChecks {
    func checkEffects(
        of resource: ResourceSettings,
        trusting servers: [(server: ServerIndex.Entry?, path: String)], in file: ConfigurationFile
    ) {
        checkCertificates(of: resource, in: file)
        checkProofs(of: resource)
        checkIssuers(of: resource, servers)
        checkAudienceSources(of: resource, servers)
        checkRelaxations(of: resource)
    }

    private func checkRelaxations(of resource: ResourceSettings) {
        let path = JSONPath(text: resource.path)
        let policy = resource.tokens.policy
        var isMCP = false
        if case .mcp = resource.profile { isMCP = true }
        warn(path["tokens"], of: policy.relaxations(for: resource.metadata.resource))
        if resource.metadata.takesProofs {
            warn(path["tokens"], of: policy.dpop.relaxations(isMCP: isMCP))
        }
        warn(path, of: resource.metadata.relaxations)
    }

    /// Warns of what the server and the issuers' entries accept beyond the defaults.
    func checkRelaxations(of file: ConfigurationFile) {
        if file.server.privateAddresses == .allow {
            findings.warning(
                JSONPath(text: "$.server.private_addresses"), TrustedIssuer.privateAddressConsequence,
                isSaidAtStart: true)
        }
        for server in file.authorizationServers {
            // `audience_from` is reported with each resource that it opens.
            var issuer = server.trustedIssuer
            issuer.introspection = server.introspection.map {
                .init(endpoint: $0.endpoint, authentication: .bearer(token: "-"))
            }
            let relaxations = issuer.relaxations.filter { $0.name != "audience_from" }
            warn(JSONPath(text: server.path), of: relaxations)
        }
    }

    /// Warns of settings that accept more than their defaults; the resources say the same at start.
    func warn(_ path: JSONPath, of relaxations: [Relaxation]) {
        for relaxation in relaxations {
            let place = relaxation.name.split(separator: ".").reduce(path) { $0[String($1)] }
            findings.warning(place, relaxation.sentence, isSaidAtStart: true)
        }
    }

    // RFC 8707 §2: without aud, a token does not say for which API it is.
    private func checkAudienceSources(
        of resource: ResourceSettings, _ servers: [(server: ServerIndex.Entry?, path: String)]
    ) {
        for (entry, _) in servers {
            guard let entry, entry.settings.claims.audienceSource != nil else { continue }
            if case .mcp = resource.profile {
                error(
                    entry.settings.path, ["audience_from"],
                    "must not be given for an issuer of \(resource.path), whose profile is \"mcp\"; such a "
                        + "server accepts only tokens whose aud names it")
            } else {
                findings.warning(
                    JSONPath(text: entry.settings.path)["audience_from"],
                    "opens \(resource.path) to tokens without aud: " + TrustedIssuer.audienceConsequence,
                    isSaidAtStart: true)
            }
        }
    }

    // RFC 8705 §3: a certificate-bound token is valid only on a connection with that certificate.
    private func checkCertificates(of resource: ResourceSettings, in file: ConfigurationFile) {
        let asks = file.server.tls.map { $0.clientCertificates != .none } ?? false
        guard resource.metadata.tlsClientCertificateBoundAccessTokens == true, !asks,
            !file.server.proxies.sendsClientCertificates
        else { return }
        findings.warning(
            JSONPath(text: resource.path)["metadata"]["tls_client_certificate_bound_access_tokens"],
            "is true, but the server never sees a client certificate and refuses every bound token; set "
                + "server.tls.client_certificates, or server.client_cert_field and trusted_proxies",
            isSaidAtStart: true)
    }

    // RFC 9449 §9, §11.1.
    private func checkProofs(of resource: ResourceSettings) {
        guard resource.tokens.dpop.nonce == .required, !resource.metadata.takesProofs else { return }
        findings.warning(
            JSONPath(text: resource.path)["tokens"]["dpop"]["nonce"],
            "has no effect: DPoP is not accepted, since the metadata has no "
                + "dpop_signing_alg_values_supported")
    }

    private func checkIssuers(
        of resource: ResourceSettings, _ servers: [(server: ServerIndex.Entry?, path: String)]
    ) {
        let tokens = resource.tokens
        for (entry, path) in servers {
            guard let entry else { continue }
            if tokens.format == .jwt, !entry.settings.hasKeys {
                warn(path, "has neither keys nor discovery, so format \"jwt\" refuses all its tokens")
            }
            if tokens.format == .opaque, entry.settings.introspection == nil {
                warn(path, "has no introspection, so format \"opaque\" refuses all its tokens")
            }
            let algorithms = entry.settings.algorithms ?? tokens.algorithms
            if let keys = entry.settings.jwks?.keys, !keys.isEmpty, tokens.format != .opaque,
                !keys.contains(where: { key in algorithms.contains(where: key.canVerify) })
            {
                let place = entry.settings.algorithms == nil ? "tokens.algorithms" : "its algorithms"
                warn(path, "has no key for any of \(place), so every JWT from it is refused")
            }
            checkTenants(of: entry.settings, trustedAt: path)
        }
        checkUnlisted(resource)
    }

    private func checkTenants(of server: AuthorizationServerSettings, trustedAt path: String) {
        guard IssuerPattern.isPattern(server.issuer), server.tenants == nil else { return }
        findings.warning(
            JSONPath(text: path),
            "trusts every tenant, since the issuer's entry lists none in \"tenants\": anyone who can open a "
                + "tenant there can issue tokens for this resource",
            isSaidAtStart: true)
    }

    // RFC 9728 §2: clients find authorization servers in the list only.
    private func checkUnlisted(_ resource: ResourceSettings) {
        let listed = resource.metadata.authorizationServers
        guard !listed.isEmpty else { return }
        let names = Set(listed.map(ExactText.init))
        for (issuer, path) in resource.issuers
        where !IssuerPattern.isPattern(issuer) && !names.contains(ExactText(issuer)) {
            warn(
                path,
                "is not in metadata.authorization_servers: its tokens are accepted, but no client finds it")
        }
    }

    private func warn(_ path: String, _ message: String) {
        findings.warning(JSONPath(text: path), message)
    }
}
