// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// Puts together what a request has, what it should have, and where it was refused.
struct ExplainedRequest {
    let gate: Gate
    let reading: RequestReading
    let requirement: AccessRequirement
    let decision: Result<AccessToken, Refusal>

    func steps() -> [Explanation.Step] {
        let relevant = GateStep.allCases.filter(isRelevant)
        let failed = failure.map { GateStep($0, isIntrospected: !reading.isJWT) }
        var isOver = false
        return relevant.map { step in
            let outcome: Explanation.Step.Outcome = isOver ? .notReached : step == failed ? .failed : .passed
            if step == failed { isOver = true }
            let (expected, got) = findings(of: step)
            return Explanation.Step(
                name: step.name, clause: step.clause, outcome: outcome, expected: expected, got: got)
        }
    }

    private var failure: RefusalReason? {
        if case .failure(let refusal) = decision { refusal.reason } else { nil }
    }

    private var token: AccessToken? { try? decision.get() }

    /// The claims: as verified, or as the token says.
    private var claims: JSONObject? { token?.claims ?? reading.claims }

    // Steps that this request has nothing to do with are left out, unless it fails at them.
    private func isRelevant(_ step: GateStep) -> Bool {
        if let failure, GateStep(failure, isIntrospected: !reading.isJWT) == step { return true }
        switch step {
        case .document, .type, .algorithm, .issuer, .key, .signature: return reading.isJWT
        case .introspection:
            return (!reading.isJWT || requirement.needsFreshIntrospection) && reading.token != nil
        case .proof: return reading.proofCount > 0
        case .authentication: return !requirement.acrValues.isEmpty || requirement.maxAge != nil
        case .details: return !requirement.authorizationDetails.isEmpty
        default: return true
        }
    }

    private func findings(of step: GateStep) -> (expected: String?, got: String?) {
        switch step {
        case .credentials: (places, reading.credentials)
        case .form:
            ("at most \(gate.maxTokenByteCount) characters of a token68", reading.token.map(Self.hashed))
        case .format:
            (gate.validator.format.rawValue, reading.token.map { _ in reading.isJWT ? "jwt" : "opaque" })
        case .document:
            ("strict JSON in three base64url parts", reading.problem.map { "\($0)" } ?? "well formed")
        case .type: (gate.tokens.types.joined(separator: ", "), printable(reading.header?["typ"]))
        case .algorithm:
            (
                gate.tokens.algorithms.map(\.rawValue).joined(separator: ", "),
                printable(reading.header?["alg"])
            )
        case .issuer:
            (
                gate.validator.connections.map(\.issuer).joined(separator: ", "),
                printable(reading.claims?["iss"])
            )
        case .key: ("a key of the issuer", "kid " + printable(reading.header?["kid"]))
        case .signature: ("the issuer's", nil)
        case .introspection: ("active and of the issuer that was asked", introspected)
        default: claimFindings(of: step)
        }
    }

    private func claimFindings(of step: GateStep) -> (expected: String?, got: String?) {
        switch step {
        case .audience:
            (
                (gate.tokens.audiences ?? gate.metadata.resource.audiences).joined(separator: " or "),
                claim("aud")
            )
        case .times:
            (times, claims.map { _ in "exp \(claim("exp")), nbf \(claim("nbf")), iat \(claim("iat"))" })
        case .claims: (reading.isJWT ? gate.tokens.requiredClaims.joined(separator: ", ") : nil, missing)
        case .possession:
            (possession, reading.proofCount > 0 ? "\(reading.proofCount) DPoP proof" : "no proof")
        case .proof: ("this method and URL, now, this token, a new jti", proof)
        case .authentication: (authentication, "acr \(claim("acr")), auth_time \(claim("auth_time"))")
        case .scopes:
            (
                requirement.scopes.scopes.map(\.name).joined(separator: " "),
                gate.tokens.scopeClaims.first { claims?[$0] != nil }.map(claim) ?? "none"
            )
        case .details: (requirement.authorizationDetails.map(\.type).joined(separator: ", "), nil)
        default: (nil, nil)
        }
    }

    // MARK: The words

    private var places: String {
        var places: [String] = []
        if gate.presentation.takesHeader, !gate.presentation.requiresDPoP {
            places.append("Authorization: Bearer")
        }
        if gate.presentation.takesDPoP { places.append("Authorization: DPoP") }
        if gate.presentation.takesBody { places.append("access_token in a form") }
        if gate.presentation.takesQuery { places.append("access_token in the query") }
        return places.joined(separator: " or ")
    }

    private var introspected: String {
        switch failure {
        case .inactiveToken: "not active"
        case .introspectionUnavailable: "no answer that counts"
        case .unknownIssuer: "another issuer"
        case .unsupportedTokenType: "another kind of token"
        default: "active"
        }
    }

    private var times: String {
        let leeway = gate.tokens.leeway.components.seconds
        return "now \(gate.validator.time.now().wholeSeconds ?? 0), leeway \(leeway) s"
    }

    private var missing: String? {
        guard let claims else { return nil }
        let missing = gate.tokens.requiredClaims.filter { claims[$0] == nil }
        return missing.isEmpty || !reading.isJWT ? "all there" : "without " + missing.joined(separator: ", ")
    }

    private var possession: String {
        guard let confirmation = claims?["cnf"]?.object else {
            return gate.presentation.requiresDPoP ? "a token bound to a key" : "the token is bound to nothing"
        }
        if confirmation["jkt"] != nil { return "a DPoP proof by the key \(printable(confirmation["jkt"]))" }
        if confirmation["x5t#S256"] != nil { return "the certificate \(printable(confirmation["x5t#S256"]))" }
        return "a method of confirmation that is known here"
    }

    private var proof: String? {
        reading.proof.map {
            "htm \(printable($0["htm"])), htu \(printable($0["htu"])), iat \(printable($0["iat"]))"
        }
    }

    private var authentication: String {
        let acr =
            requirement.acrValues.isEmpty ? [] : ["acr " + requirement.acrValues.joined(separator: " or ")]
        let age = requirement.maxAgeText.map { ["at most \($0) s ago"] } ?? []
        return (acr + age).joined(separator: ", ")
    }

    private func claim(_ name: String) -> String { printable(claims?[name]) }

    /// A value from outside: JSON in ASCII, cut where it is long.
    private func printable(_ value: JSONValue?) -> String {
        guard let value else { return "none" }
        let text = value.string ?? String(decoding: value.serialized(), as: UTF8.self)
        var printable = ""
        for scalar in text.unicodeScalars.prefix(300) {
            if (0x20...0x7E).contains(scalar.value) {
                printable.unicodeScalars.append(scalar)
            } else {
                printable += "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return printable
    }

    private static func hashed(_ token: [UInt8]) -> String {
        "\(token.count) characters, SHA-256 \(Digest.sha256(token).base64URL)"
    }
}
