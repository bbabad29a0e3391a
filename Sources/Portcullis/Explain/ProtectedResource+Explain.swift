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
        let decision: Result<AccessToken, Refusal>
        do throws(Refusal) {
            decision = .success(try await authorize(head, requiring: requirement, in: context))
        } catch {
            decision = .failure(error)
        }
        let reading = RequestReading(head, context, of: gate)
        let subject = ExplainedRequest(
            gate: gate, reading: reading, requirement: requirement, decision: decision)
        return Explanation(steps: subject.steps(), decision: decision)
    }
}

/// What a request presents, read without deciding anything.
struct RequestReading {
    let credentials: String
    let token: [UInt8]?
    let isJWT: Bool
    let header: JSONObject?
    let claims: JSONObject?
    /// Why header or claims can't be read.
    let problem: JOSEError?
    /// The claims of the DPoP proof.
    let proof: JSONObject?
    let proofCount: Int

    init(_ head: RequestHead, _ context: GateContext, of gate: Gate) {
        var attempt = Attempt.none
        let presented = try? gate.presentation.read(head, context, &attempt)
        credentials =
            switch Credentials(of: head) {
            case .bearer: "Authorization: Bearer"
            case .dpop: "Authorization: DPoP"
            case .absent(.missingCredentials):
                presented == nil ? "none" : "a bearer token in the form or the query"
            case .absent: "an Authorization field with another scheme"
            case .empty: "a scheme with nothing behind it"
            case .repeated: "more than one Authorization field"
            }
        let token = presented?.bytes(in: head)
        self.token = token
        isJWT = token.map(gate.validator.isCheckedAsJWT) ?? false
        var parts: (header: JSONObject, claims: JSONObject)?
        var problem: JOSEError?
        if let token, isJWT {
            do throws(JOSEError) {
                parts = try Self.parts(of: token, gate.maxTokenByteCount)
            } catch {
                problem = error
            }
        }
        header = parts?.header
        claims = parts?.claims
        self.problem = problem
        let proofs = head.fields.values(of: .dpop)
        proofCount = proofs.count
        proof = proofs.first.flatMap { try? Self.parts(of: Array($0.utf8), 65_536) }?.claims
    }

    private static func parts(
        of token: [UInt8], _ limit: Int
    ) throws(JOSEError) -> (header: JSONObject, claims: JSONObject) {
        let jws = try CompactJWS(token, maximumByteCount: limit)
        return (jws.header.json, try ClaimsSet(payload: jws.payload).json)
    }
}
