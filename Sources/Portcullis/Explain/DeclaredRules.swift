// SPDX-License-Identifier: MIT

package import PortcullisJOSE

/// What a resource declares about the tokens that it accepts, as advice needs it.
package struct DeclaredRules: Sendable {
    /// One trusted issuer.
    package struct Issuer: Sendable {
        package var name: String
        package var hasKeys = true
        package var introspects = false
        /// Its own algorithms; `nil` for those of the resource.
        package var algorithms: [SignatureAlgorithm]?
        /// The pointers to the client's identifier.
        package var clientIDPointers = ["/client_id"]
        /// The pointers to the scopes; `nil` for the resource's claims.
        package var scopePointers: [String]?

        package init(_ name: String) { self.name = name }
    }

    package var resource: ResourceIdentifier
    package var tokens = TokenPolicy.default
    package var issuers: [Issuer] = []
    /// The trusted patterns, each with the settings that all its tenants have.
    var patterns: [(pattern: IssuerPattern, settings: Issuer)] = []
    /// Whether the profile of MCP forbids to accept other audiences.
    package var isMCP = false
    package var requirement = AccessRequirement.anyValidToken
    /// The time by which a token is judged.
    package var now: NumericDate

    package init(resource: ResourceIdentifier, now: NumericDate) {
        self.resource = resource
        self.now = now
    }

    /// The accepted audiences.
    var audiences: [String] { tokens.audiences ?? resource.audiences }

    /// Returns the trusted issuer or pattern with this name, or `nil`.
    func issuer(named name: String) -> Issuer? {
        issuers.first { CodePoints.equal($0.name, name) }
            ?? patterns.first { CodePoints.equal($0.settings.name, name) }?.settings
    }

    /// The issuer whose settings apply to tokens with this `iss`: for a tenant, its pattern.
    ///
    /// A setting of the tenant alone would take the tenant out of the pattern, with the pattern's checks.
    func nameOfSettings(forIssuer name: String) -> String {
        guard issuer(named: name) == nil else { return name }
        return patterns.first { $0.pattern.value(in: name) != nil }?.settings.name ?? name
    }
}

extension Gate {
    /// What the resource declares.
    func declaredRules(_ requirement: AccessRequirement) -> DeclaredRules {
        var rules = DeclaredRules(resource: metadata.resource, now: validator.time.now())
        rules.tokens = tokens
        rules.tokens.format = validator.format
        rules.isMCP = originCheck != nil
        rules.requirement = requirement
        rules.issuers = validator.connections.map { connection in
            var issuer = DeclaredRules.Issuer(connection.issuer)
            issuer.hasKeys = connection.keys != nil
            issuer.introspects = connection.introspector != nil
            issuer.algorithms = connection.algorithms.map { own in
                SignatureAlgorithm.allCases.filter { own.contains($0) }
            }
            issuer.clientIDPointers =
                connection.claimRules?.clientID?.map(\.text) ?? issuer.clientIDPointers
            issuer.scopePointers = connection.claimRules?.scopes?.map(\.text)
            return issuer
        }
        rules.patterns = validator.patterns.map { directory in
            var settings = DeclaredRules.Issuer(directory.pattern.text)
            settings.algorithms = directory.algorithms
            settings.clientIDPointers = directory.claims.clientID.map(\.text)
            settings.scopePointers = directory.claims.scopes?.map(\.text)
            return (directory.pattern, settings)
        }
        return rules
    }
}

extension ProtectedResource {
    /// What the resource declares about the tokens that it accepts.
    package var declaredRules: DeclaredRules { gate.declaredRules(.anyValidToken) }
}
