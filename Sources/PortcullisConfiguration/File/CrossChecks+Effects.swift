// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisServer

/// Warnings about settings that have no effect, or that refuse every token.
extension CrossChecks {
    func checkEffects(
        of resource: ResourceSettings, trusting servers: [TrustedServer], in file: ConfigurationFile
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
    private func checkAudienceSources(of resource: ResourceSettings, _ servers: [TrustedServer]) {
        for (entry, _) in servers where entry.hasAudienceSource {
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

    private func checkIssuers(of resource: ResourceSettings, _ servers: [TrustedServer]) {
        let tokens = resource.tokens
        for (entry, issuer) in servers {
            if tokens.format == .jwt, !entry.hasKeys {
                warn(issuer, "has neither keys nor discovery, so format \"jwt\" refuses all its tokens")
            }
            if tokens.format == .opaque, !entry.introspects {
                warn(issuer, "has no introspection, so format \"opaque\" refuses all its tokens")
            }
            if let verifiable = entry.verifiable, tokens.format != .opaque,
                !(entry.settings.algorithms ?? tokens.algorithms).contains(where: verifiable.contains)
            {
                let place = entry.settings.algorithms == nil ? "tokens.algorithms" : "its algorithms"
                warn(issuer, "has no key for any of \(place), so every JWT from it is refused")
            }
            if entry.trustsEveryTenant { warnOfTenants(trustedAt: issuer) }
        }
        checkUnlisted(resource)
    }

    private func warnOfTenants(trustedAt issuer: ListedIssuer) {
        findings.warning(
            issuer.place,
            "trusts every tenant, since the issuer's entry lists none in \"tenants\": anyone who can open a "
                + "tenant there can issue tokens for this resource",
            isSaidAtStart: true)
    }

    // RFC 9728 §2: clients find authorization servers in the list only.
    private func checkUnlisted(_ resource: ResourceSettings) {
        let listed = resource.metadata.authorizationServers
        guard !listed.isEmpty,
            !resource.issuers.elementsEqual(listed, by: { CodePoints.equal($0.issuer, $1) })
        else { return }
        let names = Set(listed.map(ExactText.init))
        for issuer in resource.issuers where !issuer.isPattern && !names.contains(ExactText(issuer.issuer)) {
            warn(
                issuer,
                "is not in metadata.authorization_servers: its tokens are accepted, but no client finds it")
        }
    }

    private func warn(_ issuer: ListedIssuer, _ message: String) {
        findings.warning(issuer.place, message)
    }
}
