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
        case .credentials: (gate.presentation.places, reading.credentials)
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
                gate.tokens.algorithms.map(\.rawValue).joined(separator: ", "),
                FindingWords.printable(reading.header?["alg"])
            )
        case .issuer:
            (
                gate.validator.connections.map(\.issuer).joined(separator: ", "),
                FindingWords.printable(reading.claims?["iss"])
            )
        case .key: ("a key of the issuer", "kid " + FindingWords.printable(reading.header?["kid"]))
        case .signature: ("the issuer's", nil)
        case .introspection, .freshness: ("active and of the issuer that was asked", introspected)
        case .origin: (gate.originCheck?.allowed.joined(separator: " or "), nil)
        case .certificateField: ("one Client-Cert field, a byte sequence", nil)
        case .memory: ("a token that was checked before", reading.token.map(FindingWords.hashed))
        case .senderConstraint: ("a token that is bound to its client", possession)
        default: claimFindings(of: step)
        }
    }

    private func claimFindings(of step: AdmissionStep) -> (expected: String?, got: String?) {
        switch step {
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
        default: (nil, nil)
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
        guard let claims, claims["aud"] == nil else { return claim("aud") }
        guard reading.isJWT else { return LoggedClaims.absentFromAnswer }
        return LoggedClaims.absent(
            of: (["token_use", "typ"] + Diagnosis.clientClaims).filter { claims[$0]?.string != nil }.map {
                ($0, claim($0))
            })
    }

    private var grantedScopes: String {
        let name = gate.tokens.scopeClaims.first { claims?[$0] != nil }
        let text = name.map(claim) ?? ""
        return text.isEmpty ? "none" + ScopeHint.words(claims) : text
    }

    private var missing: String? {
        guard let claims else { return nil }
        let missing = (gate.tokens.requiredClaims + ["exp"]).filter { claims[$0] == nil }
        guard !missing.isEmpty, reading.isJWT else { return "all there" }
        return LoggedClaims.missing(
            missing, client: Diagnosis.clientClaims.first { claims[$0]?.string != nil })
    }

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
