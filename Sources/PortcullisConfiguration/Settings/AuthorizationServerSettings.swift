// SPDX-License-Identifier: MIT

package import Portcullis
package import PortcullisJOSE
import PortcullisStatusList

/// One entry of `authorization_servers`, with defaults for omitted keys.
package struct AuthorizationServerSettings: Sendable {
    /// An issuer, or a pattern with a variable for tenants.
    package var issuer: String
    /// Its JSONPath; for a listed issuer without an entry, the path at which it is listed.
    package var path: String
    /// Whether metadata is fetched for endpoints that are not configured.
    package var usesDiscovery = true
    package var jwksURI: String?
    package var jwks: JWKSet?
    package var introspection: Introspection?
    /// `nil`: those of the resource.
    package var algorithms: [SignatureAlgorithm]?
    /// With a pattern: the accepted tenants; `nil` for any.
    package var tenants: [String]?
    package var maxTenantCount = 100
    /// A file of certificates, relative to the configuration file.
    package var certificateAuthorities: String?
    package var allowsInsecureLoopback = false
    package var timeout: Duration = .seconds(5)
    package var maxResponseByteCount = 1_048_576
    package var jwksRefresh: Duration = .seconds(600)
    package var jwksCooldown: Duration = .seconds(30)
    package var jwksStale: Duration = .seconds(3_600)
    package var claims = ClaimSettings()
    package var statusLists = StatusListPolicy(.honour, inflatingWith: ZlibInflater())

    /// Whether this issuer's JWTs can be verified.
    package var hasKeys: Bool { jwks != nil || jwksURI != nil || usesDiscovery }

    /// Creates the defaults for a listed issuer without an entry: discovery over https.
    package init(issuer: String, listedAt path: String) {
        self.issuer = issuer
        self.path = path
    }
}

extension AuthorizationServerSettings {
    init?(_ reader: ObjectReader) {
        let issuer = reader.requiredString("issuer", "the issuer's https URL, as its metadata spells it")
        self.init(issuer: issuer ?? "", listedAt: reader.path.text)
        let discovery = reader.bool("discovery")
        jwksURI = reader.string("jwks_uri")
        jwks = Self.readKeys(reader)
        introspection = reader.object("introspection").flatMap(Introspection.init)
        usesDiscovery =
            discovery ?? (jwksURI == nil && reader.object["jwks"] == nil && introspection?.endpoint == nil)
        algorithms = TokenSettings.readAlgorithms(reader, default: "those of the resource")
        readTenants(reader)
        certificateAuthorities = reader.string("ca_certificates")
        allowsInsecureLoopback = reader.bool("allow_insecure_loopback") ?? false
        claims = ClaimSettings(reader)
        if let lists = reader.object("status_list") {
            statusLists = StatusListPolicy(lists, allowingInsecureLoopback: allowsInsecureLoopback)
        }
        readBounds(reader)
        checkURLs(reader)
        checkAssertions(reader)
        checkSources(reader)
        reader.finish()
        if issuer == nil { return nil }
    }

    private mutating func readTenants(_ reader: ObjectReader) {
        tenants = reader.strings("tenants", of: "tenants")
        for (index, tenant) in (tenants ?? []).enumerated() where !IssuerPattern.isValue(tenant.utf8) {
            reader.findings.error(
                reader.path["tenants"][index],
                "must be 1 to 64 letters, digits, dots, underscores and hyphens, and no dot segment")
        }
        if tenants?.isEmpty == true {
            reader.error("tenants", "must not be empty; leave it out to accept every tenant")
        }
        let count = reader.integer("max_tenants", in: 1...10_000)
        maxTenantCount = count ?? maxTenantCount
        guard !IssuerPattern.isPattern(issuer) else {
            if let tenants, tenants.count > maxTenantCount {
                reader.findings.warning(
                    reader.path["tenants"], "lists more tenants than max_tenants; the last to come get 503",
                    isSaidAtStart: true)
            }
            if reader.object["introspection"] != nil {
                reader.error(
                    "introspection", "must not be given for a pattern; an opaque token names no tenant")
            }
            return
        }
        for (name, isGiven) in [("tenants", tenants != nil), ("max_tenants", count != nil)] where isGiven {
            reader.error(
                name, "needs an issuer with a variable, such as https://login.example.com/{tenant}/v2.0")
        }
    }

    private mutating func readBounds(_ reader: ObjectReader) {
        timeout = reader.seconds("timeout_seconds", in: 0.01...300) ?? timeout
        maxResponseByteCount =
            reader.integer("max_response_bytes", in: 1_024...67_108_864) ?? maxResponseByteCount
        jwksRefresh = reader.seconds("jwks_refresh_seconds", in: 1...86_400) ?? jwksRefresh
        jwksCooldown = reader.seconds("jwks_cooldown_seconds", in: 1...3_600) ?? jwksCooldown
        jwksStale = reader.seconds("jwks_stale_seconds", in: 0...604_800) ?? jwksStale
    }

    private static func readKeys(_ reader: ObjectReader) -> JWKSet? {
        guard let value = reader.value("jwks") else { return nil }
        do {
            let keys = try JWKSet(value)
            if keys.keys.isEmpty {
                reader.warning(
                    "jwks", "holds no key that verifies signatures, so every JWT from this issuer gets 503")
            }
            return keys
        } catch {
            reader.error("jwks", "must be a JWK set: an object whose \"keys\" is a list of public keys")
            return nil
        }
    }

    private func checkURLs(_ reader: ObjectReader) {
        let findings = reader.findings
        if !issuer.isEmpty {
            findings.checkIssuer(reader.path["issuer"], issuer, allowingLoopback: allowsInsecureLoopback)
        }
        findings.checkEndpoint(reader.path["jwks_uri"], jwksURI, allowingLoopback: allowsInsecureLoopback)
        findings.checkEndpoint(
            reader.path["introspection"]["endpoint"], introspection?.endpoint,
            allowingLoopback: allowsInsecureLoopback)
    }

    private func checkAssertions(_ reader: ObjectReader) {
        guard let introspection, let audience = introspection.assertionAudience,
            case .privateKeyJWT = introspection.authentication,
            let sentence = ClientAuthentication.audienceWarning(audience, issuer: issuer)
        else { return }
        reader.findings.warning(
            reader.path["introspection"]["assertion_audience"], sentence, isSaidAtStart: true)
    }

    private func checkSources(_ reader: ObjectReader) {
        if jwks != nil, jwksURI != nil {
            reader.error("jwks_uri", "must not be given together with jwks; remove one of them")
        }
        if reader.object["introspection"] != nil, let introspection, introspection.endpoint == nil,
            !usesDiscovery
        {
            reader.findings.error(
                reader.path["introspection"]["endpoint"], "missing; must be given where discovery is off")
        }
        if !hasKeys, introspection?.signedResponseAudience != nil {
            reader.findings.error(
                reader.path["introspection"]["signed_response"],
                "needs the issuer's keys; give jwks or jwks_uri, or set \"discovery\": true")
        }
        if !hasKeys, reader.object["introspection"] == nil {
            reader.error(
                "discovery", "is off and there is neither jwks, jwks_uri nor introspection; give one")
        }
    }
}
