// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// Describes what each step expects and what a request has, for an operator.
struct RequestFindings {
    let gate: Gate
    let reading: RequestReading
    let requirement: AccessRequirement
    /// The claims: verified, introspected, or unverified.
    let claims: JSONObject?
    /// The reason for the refusal, if the request was refused.
    let failure: RefusalReason?

    /// Describes what a step expects, and what the request has.
    func findings(of step: AdmissionStep) -> (expected: String?, got: String?) {
        switch step {
        case .credentials:
            (gate.presentation.places + (requirement.mayLackToken ? " or none" : ""), reading.credentials)
        case .length, .characters:
            (
                "at most \(gate.maxTokenByteCount) characters of a token68",
                reading.token.map(FindingWords.hashed)
            )
        case .format:
            (gate.validator.format.rawValue, reading.token.map { _ in reading.isJWT ? "jwt" : "opaque" })
        case .header, .payload:
            ("strict JSON in three base64url parts", reading.problem?.phrase ?? "well formed")
        case .type:
            (
                gate.tokens.acceptedTypes.joined(separator: ", "),
                FindingWords.printable(reading.header?["typ"])
            )
        case .algorithm:
            (
                gate.validator.acceptedAlgorithms(reading.claims, gate.tokens.algorithms).map(\.rawValue)
                    .joined(separator: ", "),
                FindingWords.printable(reading.header?["alg"])
            )
        case .issuer:
            (
                (gate.validator.connections.map(\.issuer) + gate.validator.patterns.map(\.pattern.text))
                    .joined(separator: ", "),
                FindingWords.printable(reading.claims?["iss"])
            )
        case .key: ("a key of the issuer", "kid " + FindingWords.printable(reading.header?["kid"]))
        case .signature: ("the issuer's", nil)
        case .introspection, .freshness: ("active and of the issuer that was asked", introspected)
        case .origin: (gate.originCheck?.allowed.joined(separator: " or "), nil)
        case .certificateField: (ClientCertificateField.clientCert.expectation, nil)
        case .status: statusFindings
        case .memory: ("a token that was checked before", reading.token.map(FindingWords.hashed))
        case .senderConstraint: ("a token that is bound to its client", possession)
        default: claimFindings(of: step)
        }
    }

    private func claimFindings(of step: AdmissionStep) -> (expected: String?, got: String?) {
        switch step {
        case .claimValues:
            (
                requiredValues.map { "\($0.pointer) \($0.values.prefix(10).joined(separator: " or "))" }
                    .joined(separator: ", "),
                claims.map { claims in
                    requiredValues.map { values in
                        "\(values.pointer) \(FindingWords.printable(values.pointer.value(in: claims)))"
                    }.joined(separator: ", ")
                }
            )
        case .audience:
            (
                (gate.tokens.audiences ?? gate.metadata.resource.audiences).joined(separator: " or "),
                audience
            )
        case .times:
            (times, claims.map { _ in "exp \(time("exp")), nbf \(time("nbf")), iat \(time("iat"))" })
        case .claims: (reading.isJWT ? gate.tokens.requiredClaims.joined(separator: ", ") : nil, missing)
        case .possession:
            (possession, reading.proofCount > 0 ? "\(reading.proofCount) DPoP proof" : "no proof")
        case .proof: ("this method and URL, now, this token, a new jti", proof)
        case .authentication:
            (requirement.authenticationWords, "acr \(claim("acr")), auth_time \(time("auth_time"))")
        case .scopes:
            (requirement.scopeWords, grantedScopes)
        case .details: (requirement.detailWords, claims.map(Self.detailTypes))
        default: conditionFindings(of: step)
        }
    }

    // MARK: Texts

    private var introspected: String {
        switch failure {
        case .inactiveToken: "not active"
        case .introspectionUnavailable: "no usable answer"
        case .unknownIssuer: "another issuer"
        case .unsupportedTokenType: "another kind of token"
        default: "active"
        }
    }

    private var times: String {
        let leeway = gate.tokens.leeway.components.seconds
        return "now \(FindingWords.time(gate.validator.time.now()) ?? "unknown"), leeway \(leeway) s"
    }

    /// A claim that is a date.
    func time(_ name: String) -> String { FindingWords.time(claims?[name], at: gate.validator.time.now()) }

    /// The audience; if there is none, the claims with which a server may tie the token to an API instead.
    private var audience: String {
        guard let claims, !claims.hasValue("aud") else { return claim("aud") }
        guard reading.isJWT else { return LoggedClaims.absentFromAnswer }
        return LoggedClaims.absent(
            of: (["token_use", "typ"] + Diagnosis.clientClaims).filter { claims[$0]?.string != nil }.map {
                ($0, claim($0))
            })
    }

    /// The claims of a wrong type, in words: `exp is a string and must be a number`; `nil` if there are none.
    var wrongTypes: String? {
        guard let claims else { return nil }
        let faults = gate.validator.checker.faults(
            in: claims, isIntrospected: !reading.isJWT, rules: claimRules)
        return faults.isEmpty
            ? nil
            : faults.map { "\($0.name) is \($0.found) and must be \($0.expected)" }.joined(separator: "; ")
    }

    var grantedScopes: String {
        let source = claims.flatMap {
            gate.validator.checker.scopeSource(of: $0, isIntrospected: !reading.isJWT, claimRules)
        }
        let text = source.map { FindingWords.printable($0.value) } ?? ""
        return text.isEmpty ? "none" + ScopeHint.words(claims) : text
    }

    private var missing: String? {
        guard let claims else { return nil }
        let checker = gate.validator.checker
        let missing = (gate.tokens.requiredClaims + ["exp"]).filter {
            checker.isMissing($0, in: claims, claimRules)
        }
        guard !missing.isEmpty, reading.isJWT else { return "all there" }
        return LoggedClaims.missing(
            missing, client: Diagnosis.clientClaims.first { claims[$0]?.string != nil })
    }

    /// What the issuer's settings say about its claims.
    var claimRules: ClaimRules? {
        guard reading.isJWT else { return gate.validator.introspecting?.claimRules }
        return claims.flatMap { gate.validator.connection(namedBy: ClaimsSet($0)) }?.claimRules
    }

    /// The claims that must have certain values.
    var requiredValues: [ClaimValues] { claimRules?.required ?? [] }

    private var possession: String {
        guard let confirmation = claims?["cnf"]?.object else {
            return gate.presentation.requiresDPoP ? "a token bound to a key" : "the token is bound to nothing"
        }
        if confirmation["jkt"] != nil {
            return "a DPoP proof by the key \(FindingWords.prefix(confirmation["jkt"]))"
        }
        if confirmation["x5t#S256"] != nil {
            return "the certificate \(FindingWords.prefix(confirmation["x5t#S256"]))"
        }
        return "a supported confirmation method"
    }

    private var proof: String? {
        reading.proof.map {
            "htm \(FindingWords.printable($0["htm"])), htu \(named), iat "
                + FindingWords.time($0["iat"], at: gate.validator.time.now())
        }
    }

    func claim(_ name: String) -> String { FindingWords.printable(claims?[name]) }

    /// The types of the authorization details that a token has.
    static func detailTypes(_ claims: JSONObject) -> String {
        guard let elements = claims["authorization_details"]?.array else { return "none" }
        let types = elements.map { FindingWords.printable($0.object?["type"]) }
        return types.isEmpty ? "none" : FindingWords.printable(types.joined(separator: ", "))
    }
}
