// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

// The steps after a refusal are judged too, so that one trace shows every problem. Nothing is fetched, cached
// or used up.

extension Admission {
    /// Judges the steps after the one that refused, as far as their inputs are known.
    mutating func judgeBeyondRefusal(
        _ head: RequestHead, _ requirement: AccessRequirement, _ context: AuthorizationContext
    ) {
        guard let refused = trace?.refusedStep else { return }
        isHypothetical = true
        hasSignatureTime = true
        if validation == nil { validation = Validation(of: gate) }
        var following = refused.next
        while let step = following {
            following = step.next
            if step == .possession, token == nil { token = hypotheticalToken }
            guard canJudge(step, head) else { continue }
            do throws(RefusalReason) {
                switch try take(step, head, requirement, context) {
                case .passed: trace?.note(step, .wouldPass)
                case .to(let later):
                    trace?.note(step, .wouldPass)
                    following = later
                case .irrelevant, .needs: continue
                }
            } catch {
                trace?.note(step, .wouldRefuse(error))
            }
        }
    }

    private func canJudge(_ step: AdmissionStep, _ head: RequestHead) -> Bool {
        switch step {
        case .origin, .certificateField, .credentials: true
        case .length, .proofField, .characters, .format: presented != nil
        case .memory, .introspection, .freshness: false
        case .header: presented.map { gate.validator.isCheckedAsJWT($0.bytes(in: head)) } ?? false
        case .type, .algorithm, .payload: validation?.jwt != nil
        case .issuer: validation?.jwt != nil && validation?.claims != nil
        case .key: validation?.connection?.keys != nil && validation?.algorithm != nil
        case .signature: validation?.key != nil
        case .kind, .claimValues, .audience, .times, .claims: validation?.claims != nil
        case .possession, .proof, .senderConstraint, .authentication, .scopes, .details: token != nil
        }
    }

    /// A token with the claims as they are, valid or not; never passed to a handler.
    private var hypotheticalToken: AccessToken? {
        guard let validation, let claims = validation.claims,
            let checked = try? gate.validator.checker.unchecked(
                claims, isIntrospected: validation.isIntrospected,
                rules: validation.connection?.claimRules)
        else { return nil }
        return AccessToken(
            AccessToken.Storage(
                checked, format: validation.isIntrospected ? .opaque : .jwt,
                issuer: validation.connection?.issuer ?? "", resource: gate.metadata.resource,
                rules: gate.rules))
    }
}
