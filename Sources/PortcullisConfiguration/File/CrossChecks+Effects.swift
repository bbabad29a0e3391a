// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisServer

/// What can be served but lets nobody in, or does nothing: its author has meant something else.
extension CrossChecks {
    func checkEffects(of resource: ResourceSettings, in file: ConfigurationFile) {
        checkCertificates(of: resource, in: file)
        checkProofs(of: resource)
        checkIssuers(of: resource, in: file)
    }

    // RFC 8705 §3: a token that is bound to a certificate is good only beside that certificate.
    private func checkCertificates(of resource: ResourceSettings, in file: ConfigurationFile) {
        let asks = file.server.tls.map { $0.clientCertificates != .none } ?? false
        guard resource.metadata.tlsClientCertificateBoundAccessTokens == true, !asks,
            !file.server.proxies.sendsClientCertificates
        else { return }
        findings.warning(
            JSONPath(text: resource.path)["metadata"]["tls_client_certificate_bound_access_tokens"],
            "is true, but no client's certificate is ever seen, so that no bound token gets in; needs "
                + "server.tls.client_certificates, or server.client_cert_field and trusted_proxies",
            isSaidAtStart: true)
    }

    // RFC 9449 §9, §11.1.
    private func checkProofs(of resource: ResourceSettings) {
        let metadata = resource.metadata
        guard resource.tokens.dpop.nonce == .required, metadata.dpopSigningAlgorithmsSupported.isEmpty,
            metadata.dpopBoundAccessTokensRequired != true
        else { return }
        findings.warning(
            JSONPath(text: resource.path)["tokens"]["dpop"]["nonce"],
            "is required of nobody, since the metadata has no dpop_signing_alg_values_supported and DPoP is not taken"
        )
    }

    private func checkIssuers(of resource: ResourceSettings, in file: ConfigurationFile) {
        let tokens = resource.tokens
        for (issuer, path) in resource.issuers {
            guard
                let server = file.authorizationServers.first(where: {
                    $0.issuer.utf8.elementsEqual(issuer.utf8)
                })
            else { continue }
            if tokens.format == .jwt, !server.hasKeys {
                warn(
                    path,
                    "has neither keys nor discovery, so that with format \"jwt\" none of its tokens is taken")
            }
            if tokens.format == .opaque, server.introspection == nil {
                warn(path, "has no introspection, so that with format \"opaque\" none of its tokens is taken")
            }
            if let keys = server.jwks?.keys, !keys.isEmpty, tokens.format != .opaque,
                !keys.contains(where: { key in tokens.algorithms.contains(where: key.canVerify) })
            {
                warn(path, "has no key for any of tokens.algorithms, so that every JWT of it is refused")
            }
        }
    }

    private func warn(_ path: String, _ message: String) {
        findings.warning(JSONPath(text: path), message)
    }
}
