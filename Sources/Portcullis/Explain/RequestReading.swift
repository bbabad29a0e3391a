// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// The credentials of a request, parsed without deciding anything.
struct RequestReading {
    let credentials: String
    let token: [UInt8]?
    let isJWT: Bool
    let header: JSONObject?
    let claims: JSONObject?
    /// The claims of an introspected token that is a JWT, unverified.
    let contentOfIntrospected: JSONObject?
    /// The error of parsing header or claims.
    let problem: JOSEError?
    /// Header and claims of the first DPoP proof.
    let proofHeader: JSONObject?
    let proof: JSONObject?
    let proofCount: Int
    let method: String
    /// The path of the target, without the query.
    let path: String
    /// The fields that tell the operation, for people; `nil` where the route has no operations.
    let operation: String?
    /// The scopes that the operation needs.
    let operationScopes: [Scope]

    init(_ head: RequestHead, form: [UInt8]?, of gate: Gate, for requirement: AccessRequirement) {
        operation = requirement.conditions?.operations?.words(of: head)
        operationScopes = gate.operation(of: head, requirement)?.scopes ?? []
        var attempt = Attempt.none
        let presented = try? gate.presentation.read(head, form: form, &attempt)
        credentials =
            switch Credentials(of: head) {
            case .bearer: "Authorization: Bearer"
            case .dpop: "Authorization: DPoP"
            case .absent(.missingCredentials):
                presented == nil ? "none" : "a bearer token in the form or the query"
            case .absent: "an Authorization field with another scheme"
            case .empty: "a scheme without a token"
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
        contentOfIntrospected = isJWT ? nil : token.flatMap { UnverifiedJWT.claims(of: $0)?.json }
        self.problem = problem
        let proofs = head.fields.values(of: .dpop)
        proofCount = proofs.count
        let proofParts = proofs.first.flatMap { try? Self.parts(of: Array($0.utf8), 65_536) }
        proofHeader = proofParts?.header
        proof = proofParts?.claims
        method = head.method.name
        path = String(decoding: head.bytes[head.targetRange].prefix { $0 != 0x3F }, as: UTF8.self)
    }

    private static func parts(
        of token: [UInt8], _ limit: Int
    ) throws(JOSEError) -> (header: JSONObject, claims: JSONObject) {
        let jws = try CompactJWS(token, maximumByteCount: limit)
        return (jws.header.json, try ClaimsSet(payload: jws.payload).json)
    }
}
