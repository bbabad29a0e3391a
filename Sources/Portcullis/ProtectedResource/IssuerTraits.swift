// SPDX-License-Identifier: MIT

import PortcullisJOSE

/// What the checks of a resource need to know of the issuers that it trusts.
///
/// Found once for each list of issuers: a file may have thousands of resources that trust the same ones.
package final class IssuerTraits: Sendable {
    /// The issuers that are no patterns.
    let singleIssuers: [TrustedIssuer]
    /// The identifiers of the single issuers, in order.
    let names: [ExactText]
    let hasPatterns: Bool
    let haveKeys: Bool
    let introspect: Bool
    /// The settings that accept more than their defaults, each with its consequence.
    let relaxations: [String]
    /// Warnings about the tenants of patterns.
    let tenantWarnings: [String]
    /// Warnings about the audience of client assertions.
    let assertionWarnings: [String]
    /// The keys that sign client assertions.
    let assertionKeys: [PrivateJWK]

    /// Looks at each of the issuers.
    package init(_ issuers: [TrustedIssuer]) {
        let patterns = issuers.filter { IssuerPattern.isPattern($0.issuer) }
        hasPatterns = !patterns.isEmpty
        singleIssuers =
            patterns.isEmpty ? issuers : issuers.filter { !IssuerPattern.isPattern($0.issuer) }
        names = singleIssuers.map { ExactText($0.issuer) }
        haveKeys = issuers.contains { $0.keys != nil }
        let introspections = issuers.compactMap { issuer in
            issuer.introspection.map { (issuer: issuer.issuer, authentication: $0.authentication) }
        }
        introspect = !introspections.isEmpty
        relaxations = issuers.flatMap(\.relaxations).map(\.sentence)
        tenantWarnings = patterns.compactMap(\.tenantWarning)
        assertionWarnings = introspections.compactMap {
            $0.authentication.audienceWarning(issuer: $0.issuer)
        }
        assertionKeys = introspections.compactMap(\.authentication.assertionKey)
    }
}

extension TrustedIssuer {
    fileprivate var tenantWarning: String? {
        guard let pattern else { return nil }
        guard let tenants else {
            return "Every tenant of \(pattern.text) is trusted, since none are listed: anyone who can "
                + "open a tenant there can issue tokens for this resource."
        }
        return tenants.count > maxTenantCount
            ? "\(pattern.text) lists more tenants than max_tenants; the last to come get 503." : nil
    }
}
