// SPDX-License-Identifier: MIT

public import PortcullisHTTP
import PortcullisJOSE

extension ProtectedResource {
    /// Takes a request through the gate and says what each step found.
    ///
    /// Decides as ``authorize(_:requiring:in:)`` does, with all that this entails: keys are fetched, a token may be introspected, and a
    /// DPoP proof counts as used. What the steps say beside the decision is read from the request anew.
    ///
    /// May wait as long as `authorize` does.
    public func explain(
        _ head: RequestHead, requiring requirement: AccessRequirement = .none,
        in context: GateContext = GateContext()
    ) async -> Explanation {
        var context = context
        context.describesRefusals = true
        let decision: Result<AccessToken, Refusal>
        do throws(Refusal) {
            decision = .success(try await authorize(head, requiring: requirement, in: context))
        } catch {
            decision = .failure(error)
        }
        let reading = RequestReading(head, context, of: gate)
        var token: AccessToken?
        var failure: RefusalReason?
        switch decision {
        case .success(let accepted): token = accepted
        case .failure(let refusal): failure = refusal.reason
        }
        let findings = RequestFindings(
            gate: gate, reading: reading, requirement: requirement, claims: token?.claims ?? reading.claims,
            failure: failure)
        return Explanation(
            steps: ExplainedRequest(findings: findings, decision: decision).steps(), decision: decision)
    }
}
