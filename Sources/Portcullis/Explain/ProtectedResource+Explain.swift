// SPDX-License-Identifier: MIT

public import PortcullisHTTP
import PortcullisJOSE

extension ProtectedResource {
    /// Authorizes a request and returns the outcome of each step.
    ///
    /// Decides like ``authorizeOptionally(_:requiring:in:)``, with the same effects: keys are fetched, a token
    /// may be introspected, and a DPoP proof counts as used.
    ///
    /// May wait as long as `authorize`.
    ///
    /// - Parameters:
    ///   - head: The request.
    ///   - requirement: What the token must carry.
    ///   - context: What is known about the request in addition to its head.
    ///   - judgesAllSteps: Whether the steps after a refusal are judged too, as far as their inputs are known:
    ///     for this the keys of a trusted issuer are fetched, and nothing else. They leave no trace. Only the
    ///     first refusal decides. Default `false`.
    public func explain(
        _ head: RequestHead, requiring requirement: AccessRequirement = .anyValidToken,
        in context: AuthorizationContext = AuthorizationContext(),
        judgingAllSteps judgesAllSteps: Bool = false
    ) async -> Explanation {
        var context = context
        context.describesRefusals = true
        var admission = Admission(to: self)
        admission.trace = AdmissionTrace(goesOn: judgesAllSteps)
        let decision: Result<AccessToken?, Refusal>
        do throws(Refusal) {
            decision = .success(try await admission.decide(head, requiring: requirement, in: context))
        } catch {
            decision = .failure(error)
        }
        if judgesAllSteps { await admission.judgeBeyondRefusal(head, requirement, context) }
        let reading = RequestReading(head, form: admission.form.bytes, of: gate, for: requirement)
        var refusal: Refusal?
        if case .failure(let error) = decision { refusal = error }
        let claims =
            (try? decision.get())??.claims ?? admission.token?.claims ?? admission.validation?.answer
        let findings = RequestFindings(
            gate: gate, reading: reading, requirement: requirement, claims: claims ?? reading.claims,
            failure: refusal?.reason)
        let trace = admission.trace ?? AdmissionTrace(goesOn: false)
        let request = ExplainedRequest(trace: trace, findings: findings, refusal: refusal)
        return Explanation(
            steps: request.steps(), decision: decision,
            diagnosis: await diagnosis(trace, findings, requirement))
    }

    private func diagnosis(
        _ trace: AdmissionTrace, _ findings: RequestFindings, _ requirement: AccessRequirement
    ) async -> Diagnosis {
        let reading = findings.reading
        let reasons = AdmissionStep.allCases.compactMap { trace.outcomes[$0]?.reason }
        var diagnosis = Diagnosis(reasons, by: gate.declaredRules(requirement))
        diagnosis.isJWT = reading.isJWT
        diagnosis.header = reading.header
        diagnosis.claims = findings.claims
        diagnosis.tokenByteCount = reading.token?.count ?? 0
        diagnosis.problem = reading.problem
        diagnosis.claimObjection = findings.wrongTypes
        let isOpaque = reasons.contains { $0 == .malformedJWT || $0 == .unsupportedTokenFormat }
        if trace.goesOn, isOpaque, let only = gate.validator.connections.first, only.introspector == nil,
            gate.validator.connections.count == 1, only.usesDiscovery
        {
            diagnosis.publishesIntrospection = await only.metadata.reading().map {
                $0.value.introspectionEndpoint != nil
            }
        }
        return diagnosis
    }
}
