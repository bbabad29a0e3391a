// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport

// The steps about the claims of a verified JWT or of an introspection answer. RFC 9068 §2.2, §4, RFC 7662 §2.2.

extension Admission {
    /// Takes one of the steps from `kind` to `claims`.
    mutating func checkClaims(
        _ step: AdmissionStep, _ presented: PresentedToken, _ head: RequestHead, _ validation: Validation
    ) throws(RefusalReason) -> Turn {
        guard let claims = validation.claims else { throw .malformedJWT }
        let rules = validation.connection?.claimRules
        switch step {
        case .kind:
            try gate.validator.checker.checkKind(of: claims)
            guard validation.isIntrospected else { return .passed }
            // What the issuer says of a token does not make an ID token an access token.
            guard presented.isShapedAsJWS(in: head),
                let content = UnverifiedJWT.claims(of: presented.bytes(in: head))
            else { return .irrelevant }
            validation.hasNonce = content.json.hasValue("nonce")
            try gate.validator.checker.checkKind(of: content)
        case .claimValues:
            guard let rules, !rules.required.isEmpty else { return .irrelevant }
            try gate.validator.checker.checkValues(of: claims, rules)
        case .audience:
            validation.audience = try gate.validator.checker.audience(
                of: claims, isIntrospected: validation.isIntrospected, rules: rules)
        case .times:
            (validation.expiresAt, validation.notBefore) = try gate.validator.checker.times(
                of: claims, isIntrospected: validation.isIntrospected, at: gate.validator.time.now())
        default:
            let checked = try gate.validator.checker.claims(
                of: claims, isIntrospected: validation.isIntrospected, rules: rules,
                audience: validation.audience, expiresAt: validation.expiresAt,
                notBefore: validation.notBefore)
            try accept(checked, presented, validation)
        }
        return .passed
    }

    /// Makes the token, and caches it.
    private mutating func accept(
        _ claims: CheckedClaims, _ presented: PresentedToken, _ validation: Validation
    ) throws(RefusalReason) {
        guard let connection = validation.connection else {
            // Whatever its issuer, explanations say what else is wrong with a token.
            guard isHypothetical else { throw .unknownIssuer }
            return
        }
        let verified = gate.validator.token(
            of: claims, issuedBy: connection, isIntrospected: validation.isIntrospected,
            generation: validation.generation, usableUntil: validation.usableUntil)
        if !isHypothetical {
            gate.reportUnusual(verified.token, hasNonce: validation.hasNonce, validation.algorithm)
            gate.remember(verified, presented.digest, validation.moment, validation.epoch)
        }
        token = verified.token
    }

    /// Returns the reason for a refusal by a check of claims, and reports an answer that cannot be used.
    ///
    /// A malformed introspection answer is the issuer's fault and does not make the token invalid, except in
    /// the claims that the configuration may look for elsewhere. RFC 7662 §2.2.
    func reason(for error: RefusalReason, _ validation: Validation) -> RefusalReason {
        guard error == .malformedClaims, validation.isIntrospected, let connection = validation.connection,
            let answer = validation.answer
        else { return error }
        let faults = gate.validator.checker.faults(
            in: answer, isIntrospected: true, rules: connection.claimRules)
        if !isHypothetical, let fault = faults.first {
            connection.reportUnusableAnswer(fault, at: gate.validator.time.uptime())
        }
        return faults.contains { !$0.isMapped } || faults.isEmpty ? .introspectionUnavailable : error
    }
}
