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

    /// Returns the trusted issuer with this name, or `nil`.
    func issuer(named name: String) -> Issuer? {
        issuers.first { CodePoints.equal($0.name, name) }
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
        return rules
    }
}

extension ProtectedResource {
    /// What the resource declares about the tokens that it accepts.
    package var declaredRules: DeclaredRules { gate.declaredRules(.anyValidToken) }
}
