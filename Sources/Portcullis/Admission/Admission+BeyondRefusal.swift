// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

// The steps after a refusal are judged too, so that one trace shows every problem. Nothing is cached or used
// up, and nothing is fetched but keys of a trusted issuer.

extension Admission {
    /// Judges the steps after the one that refused, as far as their inputs are known.
    mutating func judgeBeyondRefusal(
        _ head: RequestHead, _ requirement: AccessRequirement, _ context: AuthorizationContext
    ) async {
        guard let refused = trace?.refusedStep else { return }
        isHypothetical = true
        hasSignatureTime = true
        if validation == nil { validation = Validation(of: gate) }
        var following = requirement.step(after: refused)
        while let step = following {
            following = requirement.step(after: step)
            if step == .possession, token == nil { token = hypotheticalToken }
            guard canJudge(step, head) else { continue }
            if let later = await judge(step, head, requirement, context) { following = later }
        }
    }

    /// Judges one step, and returns a later step if that comes next.
    private mutating func judge(
        _ step: AdmissionStep, _ head: RequestHead, _ requirement: AccessRequirement,
        _ context: AuthorizationContext
    ) async -> AdmissionStep? {
        do throws(RefusalReason) {
            // The keys of the issuer are all that is fetched, twice if they have to be fetched again.
            for _ in 0...2 {
                switch try take(step, head, requirement, context) {
                case .passed: trace?.note(step, .wouldPass)
                case .to(let later):
                    trace?.note(step, .wouldPass)
                    return later
                case .irrelevant: break
                case .needs:
                    guard case .keys(let question)? = takeNeed() else { return nil }
                    supply(await AdmissionNeed.keys(question).answer(form: { nil }))
                    continue
                }
                return nil
            }
        } catch {
            trace?.note(step, .wouldRefuse(error))
        }
        return nil
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
        case .operation: true
        case .operationScopes, .claimConditions: token != nil
        // Nothing is fetched, and the app is asked about admissible requests only.
        case .status, .decision: false
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
