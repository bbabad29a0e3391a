// SPDX-License-Identifier: MIT

import PortcullisJOSE

// Settings that accept more than the defaults. Each is said at start, with its consequence.

extension DPoPPolicy {
    /// The settings that accept more than their defaults, by their names within `tokens`.
    ///
    /// - Parameter isMCP: Whether the resource has the profile of MCP, which has other defaults.
    package func relaxations(isMCP: Bool) -> [Relaxation] {
        let usual = isMCP ? DPoPPolicy().completed(withWindow: Self.windowOfMCP) : DPoPPolicy()
        var relaxations: [Relaxation] = []
        if proofMaxAge > usual.proofMaxAge {
            relaxations.append(
                Relaxation(
                    name: "dpop.proof_max_age_seconds",
                    sentence: "DPoP proofs are accepted for \(proofMaxAge.components.seconds) s: whoever "
                        + "obtains an unused one, with its token, can use it as long (RFC 9449 §11.1)."))
        }
        if proofMaxFuture > usual.proofMaxFuture {
            relaxations.append(
                Relaxation(
                    name: "dpop.proof_max_future_seconds",
                    sentence:
                        "DPoP proofs may be dated \(proofMaxFuture.components.seconds) s ahead: whoever "
                        + "has a client's key for a moment can make proofs for that time (RFC 9449 §11.2)."))
        }
        return relaxations
    }
}

extension ProtectedResourceMetadata {
    /// The members that accept more than their defaults.
    package var relaxations: [Relaxation] {
        var places: [String] = []
        if bearerMethodsSupported?.contains(.query) == true {
            places.append("the query, which logs and browsers keep (RFC 6750 §2.3, §5.3)")
        }
        if bearerMethodsSupported?.contains(.body) == true {
            places.append("a form, which any web page can send (RFC 6750 §2.2)")
        }
        guard !places.isEmpty else { return [] }
        return [
            Relaxation(
                name: "metadata.bearer_methods_supported",
                sentence: "Tokens are accepted in \(places.joined(separator: ", and in ")).")
        ]
    }

    /// Whether the resource accepts DPoP proofs.
    package var takesProofs: Bool {
        !dpopSigningAlgorithmsSupported.isEmpty || dpopBoundAccessTokensRequired == true
    }
}

extension ProtectedResource.Configuration {
    /// Warnings about settings that accept more than their defaults, or that use one key for two purposes.
    func relaxationWarnings() -> [String] {
        let traits = issuerTraits
        var isMCP = false
        if case .mcp = profile { isMCP = true }
        let relaxations =
            tokens.relaxations(for: metadata.resource)
            + (metadata.takesProofs ? tokens.dpop.relaxations(isMCP: isMCP) : [])
            + metadata.relaxations
        return relaxations.map(\.sentence) + traits.relaxations + traits.assertionWarnings
            + (traits.assertionKeys.contains(where: signsMetadata)
                ? [
                    "One key signs the metadata and client assertions: use a key for each kind of JWT "
                        + "(draft-ietf-oauth-rfc8725bis §3.12)."
                ] : [])
    }

    private func signsMetadata(with key: PrivateJWK) -> Bool {
        guard let signing = publishing.signing else { return false }
        return signing.key.publicKey.thumbprint == key.publicKey.thumbprint
    }
}
