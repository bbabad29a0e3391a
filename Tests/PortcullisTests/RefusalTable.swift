// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import Testing

/// What clients get for each reason, independent of the code that decides it.
enum RefusalTable {
    struct Row {
        let status: Int
        let error: String?
        let text: String?

        init(_ status: Int, _ error: String? = nil, _ text: String? = nil) {
            self.status = status
            self.error = error
            self.text = text
        }

        /// Whether the answer has no challenge: none would help, or the token may be valid.
        var isBare: Bool {
            status == 503 || (status == 400 && error == nil) || error == "forbidden_origin"
                || error == "access_denied"
        }

        /// The end of the challenge with the error.
        var parameters: String {
            #", error="\#(error ?? "")", error_description="\#(text ?? "")""#
        }

        var body: String {
            guard let error else { return "" }
            return #"{"error":"\#(error)""# + (text.map { #","error_description":"\#($0)""# } ?? "") + "}"
        }
    }

    static let rows: [RefusalReason: Row] = [
        .missingCredentials: Row(401),
        .unsupportedScheme: Row(401),
        .emptyCredentials: Row(400, "invalid_request", "The access token is missing"),
        .repeatedCredentials: Row(400, "invalid_request", several),
        .severalMethods: Row(400, "invalid_request", several),
        .malformedToken: Row(401, "invalid_token", PublicText.malformed),
        .tokenTooLong: Row(401, "invalid_token", PublicText.malformed),
        .malformedJWT: Row(401, "invalid_token", PublicText.malformed),
        .unsupportedTokenFormat: Row(401, "invalid_token", PublicText.unacceptable),
        .unsupportedTokenType: Row(401, "invalid_token", PublicText.unacceptable),
        .unsupportedAlgorithm: Row(401, "invalid_token", PublicText.unacceptable),
        .unknownIssuer: Row(401, "invalid_token", PublicText.unacceptable),
        .unknownKey: Row(401, "invalid_token", PublicText.unacceptable),
        .ambiguousKey: Row(401, "invalid_token", PublicText.unacceptable),
        .invalidSignature: Row(401, "invalid_token", PublicText.unacceptable),
        .malformedActor: Row(401, "invalid_token", PublicText.malformed),
        .malformedClaims: Row(401, "invalid_token", PublicText.malformed),
        .missingClaim: Row(401, "invalid_token", PublicText.malformed),
        .idToken: Row(401, "invalid_token", PublicText.identity),
        .claimValueMismatch: Row(401, "invalid_token", PublicText.unacceptable),
        .audienceMismatch: Row(401, "invalid_token", PublicText.audience),
        .expired: Row(401, "invalid_token", PublicText.expired),
        .notYetValid: Row(401, "invalid_token", PublicText.early),
        .issuedInTheFuture: Row(401, "invalid_token", PublicText.early),
        .unprovenPossession: Row(401, "invalid_token", PublicText.unproven),
        .boundTokenAsBearer: Row(
            401, "invalid_token", "The access token is bound to a key and needs the DPoP scheme"),
        .unboundToken: Row(401, "invalid_token", "The access token is not bound to a key"),
        .strayProof: Row(400, "invalid_request", "A DPoP proof was sent with a bearer token"),
        .missingProof: Row(401, "invalid_dpop_proof", "The DPoP proof is missing"),
        .repeatedProof: Row(401, "invalid_dpop_proof", "More than one DPoP proof was sent"),
        .malformedProof: Row(401, "invalid_dpop_proof", ProofText.malformed),
        .unsupportedProofAlgorithm: Row(401, "invalid_dpop_proof", ProofText.malformed),
        .proofMethodMismatch: Row(401, "invalid_dpop_proof", ProofText.other),
        .proofTargetMismatch: Row(401, "invalid_dpop_proof", ProofText.other),
        .proofOutsideWindow: Row(401, "invalid_dpop_proof", ProofText.time),
        .proofTokenMismatch: Row(401, "invalid_dpop_proof", ProofText.other),
        .invalidProofSignature: Row(401, "invalid_dpop_proof", ProofText.malformed),
        .proofKeyMismatch: Row(401, "invalid_token", "The access token is bound to another key"),
        .missingNonce: Row(401, "use_dpop_nonce", "A nonce is required in the DPoP proof"),
        .staleNonce: Row(401, "use_dpop_nonce", "A nonce is required in the DPoP proof"),
        .replayedProof: Row(401, "invalid_dpop_proof", ProofText.replayed),
        .malformedStatus: Row(401, "invalid_token", PublicText.malformed),
        .missingStatus: Row(401, "invalid_token", PublicText.unacceptable),
        .unsupportedStatus: Row(401, "invalid_token", PublicText.unacceptable),
        .forbiddenStatusList: Row(401, "invalid_token", PublicText.unacceptable),
        .revokedToken: Row(401, "invalid_token", PublicText.revoked),
        .suspendedToken: Row(401, "invalid_token", PublicText.revoked),
        .unacceptedStatus: Row(401, "invalid_token", PublicText.revoked),
        .statusOutOfRange: Row(401, "invalid_token", PublicText.unacceptable),
        .statusListUnavailable: Row(503, "temporarily_unavailable"),
        .replayStoreFull: Row(503, "temporarily_unavailable"),
        .replayStoreUnavailable: Row(503, "temporarily_unavailable"),
        .missingClientCertificate: Row(401, "invalid_token", certificate),
        .clientCertificateMismatch: Row(401, "invalid_token", certificate),
        .malformedClientCertificate: Row(400),
        .inactiveToken: Row(401, "invalid_token", PublicText.inactive),
        .authenticationTooWeak: Row(401, "insufficient_user_authentication", stronger),
        .authenticationTooOld: Row(401, "insufficient_user_authentication", stronger),
        .insufficientScope: Row(403, "insufficient_scope", "The access token lacks a required scope"),
        .forbiddenOrigin: Row(403, "forbidden_origin", "Pages of this origin may not call the resource"),
        .insufficientAuthorizationDetails: Row(
            403, "insufficient_scope", "The access token lacks required authorization details"),
        .ambiguousOperation: Row(
            400, "invalid_request", "A field that tells the operation was sent more than once"),
        .malformedOperation: Row(
            400, "invalid_request", "A field that tells the operation is not encoded as it must be"),
        .unversionedOperation: Row(
            400, "invalid_request", "The operation needs one MCP-Protocol-Version of 2026-07-28 or later"),
        .missingOperation: Row(400, "invalid_request", "A field that tells the operation is missing"),
        .unlistedOperation: Row(403, "insufficient_scope", "The operation is not allowed here"),
        .claimConditionUnmet: Row(403, "insufficient_scope", "The access token lacks a required claim"),
        .deniedByDecision: Row(403, "access_denied", "The request was denied"),
        .decisionUnavailable: Row(503, "temporarily_unavailable"),
        .keysUnavailable: Row(503, "temporarily_unavailable"),
        .introspectionUnavailable: Row(503, "temporarily_unavailable"),
    ]

    private static let several = "More than one method was used to send the access token"
    private static let certificate = "The access token is bound to a client certificate"
    private static let stronger = "A stronger or more recent authentication is required"
}

/// Asserts that a request was refused for a reason, with its status, its challenges' texts and its body.
///
/// At least one challenge has the error, as its last two parameters; those without it have no part of it.
func expectRefused(
    _ refusal: Refusal?, _ reason: RefusalReason, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(refusal?.reason == reason, sourceLocation: sourceLocation)
    guard let refusal, refusal.reason == reason, let row = RefusalTable.rows[reason] else { return }
    #expect(refusal.status.code == row.status, sourceLocation: sourceLocation)
    let fields = refusal.head.fields
    #expect(fields.values(of: .cacheControl) == ["no-store"], sourceLocation: sourceLocation)
    #expect(fields[.retryAfter] == (row.status == 503 ? "5" : nil), sourceLocation: sourceLocation)
    #expect(String(decoding: refusal.body, as: UTF8.self) == row.body, sourceLocation: sourceLocation)
    #expect(
        fields.values(of: .wwwAuthenticate) == refusal.challenges.map(\.description),
        sourceLocation: sourceLocation)
    #expect(refusal.challenges.isEmpty == row.isBare, sourceLocation: sourceLocation)
    guard !row.isBare else { return }
    let (telling, silent) = (
        refusal.challenges.filter { $0["error"] != nil }, refusal.challenges.filter { $0["error"] == nil }
    )
    #expect(telling.isEmpty == (row.error == nil), sourceLocation: sourceLocation)
    for challenge in telling {
        #expect(challenge.description.hasSuffix(row.parameters), sourceLocation: sourceLocation)
    }
    for challenge in silent {
        #expect(!challenge.description.contains("error"), sourceLocation: sourceLocation)
    }
    for challenge in refusal.challenges {
        let url = challenge["resource_metadata"]
        #expect(
            url?.contains("/.well-known/oauth-protected-resource") == true, sourceLocation: sourceLocation)
    }
}

extension RefusalReason {
    /// Whether challenges name no scope, since none would help.
    var namesNoScope: Bool { self == .claimConditionUnmet || self == .unlistedOperation }
}

@Suite("RFC 6750 §3.1, RFC 9449 §7.1, RFC 9470 §3 Every reason has its status, its error code and its text")
struct RFC6750_3_1_Reasons {
    @Test(arguments: RefusalReason.allCases)
    func `what a client gets for each reason is fixed`(reason: RefusalReason) throws {
        let row = try #require(RefusalTable.rows[reason])
        let challenger = Challenger(metadataURL: Scene.metadataURL, dpopAlgorithms: [.es256])
        if row.status == 503 {
            return expectRefused(challenger.unavailable(reason, retryAfter: .seconds(5)), reason)
        }
        // A request from a foreign origin, or one that the app denies, is refused without a challenge, in the
        // gate.
        guard reason != .forbiddenOrigin, reason != .deniedByDecision else { return }
        for attempt in [Attempt.none, .with(.bearer), .with(.dpop), .unclear] {
            guard (attempt == .none) == (row.error == nil) || row.isBare else { continue }
            expectRefused(challenger.refusal(reason, answering: attempt, requiring: "a"), reason)
        }
    }
}
