// SPDX-License-Identifier: MIT

public import PortcullisHTTP
import PortcullisJOSE

extension ProtectedResource {
    /// Authorizes a request and returns the outcome of each step.
    ///
    /// Decides like ``authorize(_:requiring:in:)``, with the same effects: keys are fetched, a token may be
    /// introspected, and a DPoP proof counts as used.
    ///
    /// May wait as long as `authorize`.
    ///
    /// - Parameters:
    ///   - head: The request.
    ///   - requirement: What the token must carry.
    ///   - context: What is known about the request in addition to its head.
    ///   - judgesAllSteps: Whether the steps after a refusal are judged too, as far as that needs no I/O and
    ///     leaves no trace. Only the first refusal decides. Default `false`.
    public func explain(
        _ head: RequestHead, requiring requirement: AccessRequirement = .anyValidToken,
        in context: AuthorizationContext = AuthorizationContext(),
        judgingAllSteps judgesAllSteps: Bool = false
    ) async -> Explanation {
        var context = context
        context.describesRefusals = true
        var admission = Admission(to: self)
        admission.trace = AdmissionTrace(goesOn: judgesAllSteps)
        let decision: Result<AccessToken, Refusal>
        do throws(Refusal) {
            decision = .success(try await admission.decide(head, requiring: requirement, in: context))
        } catch {
            decision = .failure(error)
        }
        if judgesAllSteps { admission.judgeBeyondRefusal(head, requirement, context) }
        let reading = RequestReading(head, form: admission.form.bytes, of: gate)
        var refusal: Refusal?
        if case .failure(let error) = decision { refusal = error }
        let claims =
            (try? decision.get())?.claims ?? admission.token?.claims ?? admission.validation?.answer
        let findings = RequestFindings(
            gate: gate, reading: reading, requirement: requirement, claims: claims ?? reading.claims,
            failure: refusal?.reason)
        let request = ExplainedRequest(
            trace: admission.trace ?? AdmissionTrace(goesOn: false), findings: findings, refusal: refusal)
        return Explanation(steps: request.steps(), decision: decision)
    }
}
