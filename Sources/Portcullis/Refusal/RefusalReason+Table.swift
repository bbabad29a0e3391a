// SPDX-License-Identifier: MIT

// The table of reasons: one row for each, with all its consequences. Every row has every column.

extension RefusalReason {
    /// The consequences of a reason.
    package struct Row: Sendable {
        /// Which refusals of a token are cached, so that its issuer is not asked again for a few seconds.
        enum Memory: Sendable {
            /// None: repeating the check costs no call, or may give another result.
            case never
            /// All refusals of introspected tokens.
            case always
            /// Those of resources that accept only opaque tokens.
            case ofOpaqueTokens
        }

        /// The status and the error code that the client gets.
        ///
        /// RFC 6750 §3.1.
        let outcome: (status: Int, error: String?)
        /// The text that the client gets: fixed, without quote, backslash, comma and equals sign.
        ///
        /// Contains no more than the client can use; the key, issuer or claim goes to the log only.
        /// RFC 6750 §3.
        let publicText: String?
        /// The step that refuses.
        let step: AdmissionStep
        /// The clause that requires it.
        package let clause: String
        /// What makes the same request succeed, for the operator.
        let remedy: String
        /// The step that refuses an introspected token, if it differs.
        var introspected: AdmissionStep?
        /// Whether the token is valid but insufficient, so that no other scheme would help.
        var isAboutRequirement = false
        var memory = Memory.never
    }

    package var row: Row {
        switch self {
        case .missingCredentials:
            Row(
                outcome: (401, nil), publicText: nil,
                step: .credentials, clause: "RFC 6750 §3",
                remedy:
                    "The client gets a token and sends it in Authorization; if it did, an intermediary "
                    + "removed the field.")
        case .unsupportedScheme:
            Row(
                outcome: (401, nil), publicText: nil,
                step: .credentials, clause: "RFC 6750 §3, RFC 9449 §7.1",
                remedy: "The client sends its token in a scheme that the resource accepts.")
        case .emptyCredentials:
            Row(
                outcome: (400, "invalid_request"), publicText: "The access token is missing",
                step: .credentials, clause: "RFC 6750 §2.1",
                remedy: "The client puts its token after the scheme; most likely its variable was empty.")
        case .repeatedCredentials:
            Row(
                outcome: (400, "invalid_request"),
                publicText: "More than one method was used to send the access token",
                step: .credentials, clause: "RFC 6750 §3.1",
                remedy: "The client sends its token once, in one place.")
        case .severalMethods:
            Row(
                outcome: (400, "invalid_request"),
                publicText: "More than one method was used to send the access token",
                step: .credentials, clause: "RFC 6750 §2",
                remedy: "The client sends its token once, in one place.")
        case .forbiddenOrigin:
            Row(
                outcome: (403, "forbidden_origin"),
                publicText: "Pages of this origin may not call the resource",
                step: .origin, clause: "RFC 6454 §7",
                remedy: "If the page may call the resource, list its origin in cors.allowed_origins.")
        case .malformedToken:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is malformed",
                step: .characters, clause: "RFC 6750 §2.1",
                remedy:
                    "The client sends the token exactly as issued, without quotes, encoding or prefix.")
        case .tokenTooLong:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is malformed",
                step: .length, clause: "RFC 6750 §2.1",
                remedy: "Have the issuer make its tokens smaller, or raise tokens.max_token_bytes.")
        case .malformedJWT:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is malformed",
                step: .header, clause: "RFC 7515 §5.2",
                remedy: "The client sends the whole access token; what it sent is not a signed JWT.")
        case .unsupportedTokenFormat:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is not acceptable",
                step: .format, clause: "RFC 9068 §4, RFC 7662 §2",
                remedy: "Give the issuer introspection if its tokens are opaque, or keys if they are JWTs.")
        case .unsupportedTokenType:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is not acceptable",
                step: .type, clause: "RFC 9068 §4, RFC 8725 §3.11",
                remedy:
                    "The client sends its access token, not an ID token; if the issuer predates RFC 9068, "
                    + "add "
                    + "its typ to tokens.types.",
                introspected: .introspection, memory: .ofOpaqueTokens)
        case .unsupportedAlgorithm:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is not acceptable",
                step: .algorithm, clause: "RFC 8725 §3.1",
                remedy:
                    "Have the issuer sign with one of these algorithms, or add its own to tokens.algorithms.")
        case .unknownIssuer:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is not acceptable",
                step: .issuer, clause: "RFC 9068 §4",
                remedy: "The client uses an authorization server that the metadata lists; or trust this one, "
                    + "spelled as in iss.",
                introspected: .introspection, memory: .ofOpaqueTokens)
        case .unknownKey:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is not acceptable",
                step: .key, clause: "RFC 7515 §4.1.4",
                remedy: "Have the issuer publish the key in its jwks_uri before it signs with it.")
        case .ambiguousKey:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is not acceptable",
                step: .signature, clause: "RFC 7517 §4.5",
                remedy: "Have the issuer name the key in kid, and give each key its own: more keys fit than "
                    + "are tried.")
        case .invalidSignature:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is not acceptable",
                step: .signature, clause: "RFC 7515 §5.2",
                remedy: "The token was changed, or the issuer publishes another key under this kid: ask its "
                    + "operator.")
        case .malformedClaims:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is malformed",
                step: .claims, clause: "RFC 7519 §4.1",
                remedy:
                    "Have the issuer write the claim with the type that RFC 7519 gives it: exp, nbf and iat "
                    + "are numbers; no setting accepts another type.")
        case .malformedActor:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is malformed",
                step: .claims, clause: "RFC 8693 §4.1",
                remedy:
                    "Have the issuer write act as an object with the sub of the actor, and at most 8 actors in a chain.",
                memory: .ofOpaqueTokens)
        case .missingClaim:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is malformed",
                step: .claims, clause: "RFC 9068 §2.2",
                remedy: "Have the issuer put the claim into its tokens, or require fewer in "
                    + "tokens.required_claims.")
        case .idToken:
            Row(
                outcome: (401, "invalid_token"), publicText: "An ID token is not an access token",
                step: .kind, clause: "RFC 9068 §5, RFC 8725 §3.12",
                remedy: "The client sends its access token: an ID token tells the client who logged in, and "
                    + "grants nothing.")
        case .claimValueMismatch:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is not acceptable",
                step: .claimValues, clause: "RFC 8725 §3.12",
                remedy: "The client sends an access token of a kind that the issuer's required_claim_values "
                    + "accepts; or add the value there.",
                memory: .ofOpaqueTokens)
        case .audienceMismatch:
            Row(
                outcome: (401, "invalid_token"),
                publicText: "The access token is not intended for this resource",
                step: .audience, clause: "RFC 9068 §4, RFC 8707 §2",
                remedy:
                    "The client asks for a token with resource= (RFC 8707) as the metadata spells it; or add "
                    + "another name of this API to tokens.audiences. Where the server never sends aud: "
                    + "audience_from for JWTs, tokens.introspection_audience for introspection answers.",
                memory: .ofOpaqueTokens)
        case .expired:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token expired",
                step: .times, clause: "RFC 7519 §4.1.4",
                remedy: "The client gets a new token, for example with its refresh token.",
                memory: .ofOpaqueTokens)
        case .notYetValid:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is not valid yet",
                step: .times, clause: "RFC 7519 §4.1.5",
                remedy:
                    "Synchronize the clocks of the issuer and of this machine, or raise "
                    + "tokens.leeway_seconds."
            )
        case .issuedInTheFuture:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is not valid yet",
                step: .times, clause: "RFC 7519 §4.1.6",
                remedy:
                    "Synchronize the clocks of the issuer and of this machine, or raise "
                    + "tokens.leeway_seconds."
            )
        case .unprovenPossession:
            Row(
                outcome: (401, "invalid_token"),
                publicText: "The access token is bound to a key that was not proven",
                step: .claims, clause: "RFC 7800 §3.1",
                remedy: "Have the issuer bind its tokens only by jkt or x5t#S256.",
                memory: .ofOpaqueTokens)
        case .boundTokenAsBearer:
            Row(
                outcome: (401, "invalid_token"),
                publicText: "The access token is bound to a key and needs the DPoP scheme",
                step: .possession, clause: "RFC 9449 §7.2",
                remedy: "The client sends the token in the scheme DPoP with a proof.")
        case .unboundToken:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is not bound to a key",
                step: .possession, clause: "RFC 9449 §7.1",
                remedy:
                    "The client sends a DPoP proof when it requests the token, so that the token is bound "
                    + "to its key."
            )
        case .strayProof:
            Row(
                outcome: (400, "invalid_request"), publicText: "A DPoP proof was sent with a bearer token",
                step: .possession, clause: "RFC 9449 §7.1",
                remedy: "The client sends no DPoP field with a bearer token; or turn "
                    + "tokens.dpop.refuse_stray_proofs off.")
        case .missingProof:
            Row(
                outcome: (401, "invalid_dpop_proof"), publicText: "The DPoP proof is missing",
                step: .proofField, clause: "RFC 9449 §4.3",
                remedy: "The client sends one DPoP field with each request.")
        case .repeatedProof:
            Row(
                outcome: (401, "invalid_dpop_proof"), publicText: "More than one DPoP proof was sent",
                step: .proofField, clause: "RFC 9449 §4.3",
                remedy: "The client sends one DPoP field with each request.")
        case .malformedProof:
            Row(
                outcome: (401, "invalid_dpop_proof"),
                publicText: "The DPoP proof is malformed or not signed as it must be",
                step: .proof, clause: "RFC 9449 §4.2",
                remedy:
                    "The client makes its proofs as RFC 9449 §4.2 says, with an algorithm of the challenge."
            )
        case .unsupportedProofAlgorithm:
            Row(
                outcome: (401, "invalid_dpop_proof"),
                publicText: "The DPoP proof is malformed or not signed as it must be",
                step: .proof, clause: "RFC 9449 §4.3",
                remedy:
                    "The client makes its proofs as RFC 9449 §4.2 says, with an algorithm of the challenge."
            )
        case .proofMethodMismatch:
            Row(
                outcome: (401, "invalid_dpop_proof"), publicText: "The DPoP proof is for another request",
                step: .proof, clause: "RFC 9449 §4.3",
                remedy: "The client makes a proof for each request, and for the token that it sends.")
        case .proofTargetMismatch:
            Row(
                outcome: (401, "invalid_dpop_proof"), publicText: "The DPoP proof is for another request",
                step: .proof, clause: "RFC 9449 §4.3",
                remedy: "The client makes the proof for the URL that it calls, without query; if it did, the "
                    + "resource identifier is not that URL's origin.")
        case .proofOutsideWindow:
            Row(
                outcome: (401, "invalid_dpop_proof"), publicText: "The DPoP proof is not of this moment",
                step: .proof, clause: "RFC 9449 §4.3, §11.1",
                remedy: "The client makes its proof right before the request, with a correct clock.")
        case .proofTokenMismatch:
            Row(
                outcome: (401, "invalid_dpop_proof"), publicText: "The DPoP proof is for another request",
                step: .proof, clause: "RFC 9449 §4.3",
                remedy: "The client makes a proof for each request, and for the token that it sends.")
        case .invalidProofSignature:
            Row(
                outcome: (401, "invalid_dpop_proof"),
                publicText: "The DPoP proof is malformed or not signed as it must be",
                step: .proof, clause: "RFC 9449 §4.3",
                remedy:
                    "The client makes its proofs as RFC 9449 §4.2 says, with an algorithm of the challenge."
            )
        case .proofKeyMismatch:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is bound to another key",
                step: .proof, clause: "RFC 9449 §6.1",
                remedy: "The client signs with the key that it used to get the token.")
        case .missingNonce:
            Row(
                outcome: (401, "use_dpop_nonce"), publicText: "A nonce is required in the DPoP proof",
                step: .proof, clause: "RFC 9449 §9",
                remedy:
                    "The client retries with the nonce from DPoP-Nonce; if several processes answer, "
                    + "they need the same nonce_keys.")
        case .staleNonce:
            Row(
                outcome: (401, "use_dpop_nonce"), publicText: "A nonce is required in the DPoP proof",
                step: .proof, clause: "RFC 9449 §9",
                remedy:
                    "The client retries with the nonce from DPoP-Nonce; if several processes answer, "
                    + "they need the same nonce_keys.")
        case .replayedProof:
            Row(
                outcome: (401, "invalid_dpop_proof"), publicText: "The DPoP proof was used before",
                step: .proof, clause: "RFC 9449 §11.1",
                remedy: "The client makes a new proof for each request, including each retry.")
        case .replayStoreFull:
            Row(
                outcome: (503, "temporarily_unavailable"), publicText: nil,
                step: .proof, clause: "RFC 9449 §11.1",
                remedy:
                    "Raise tokens.dpop.replay_cache_entries, or the memory of the store; the client "
                    + "retries.")
        case .replayStoreUnavailable:
            Row(
                outcome: (503, "temporarily_unavailable"), publicText: nil,
                step: .proof, clause: "RFC 9449 §11.1",
                remedy: "Check the replay store that the processes share; the client retries.")
        case .missingClientCertificate:
            Row(
                outcome: (401, "invalid_token"),
                publicText: "The access token is bound to a client certificate",
                step: .possession, clause: "RFC 8705 §3",
                remedy:
                    "The client calls with the certificate that it used to get the token; behind a proxy, "
                    + "check "
                    + "client_cert_field.")
        case .clientCertificateMismatch:
            Row(
                outcome: (401, "invalid_token"),
                publicText: "The access token is bound to a client certificate",
                step: .possession, clause: "RFC 8705 §3",
                remedy:
                    "The client calls with the certificate that it used to get the token; behind a proxy, "
                    + "check "
                    + "client_cert_field.")
        case .malformedClientCertificate:
            Row(
                outcome: (400, nil), publicText: nil,
                step: .certificateField, clause: "RFC 9440 §2.2",
                remedy:
                    "Have the proxy write the certificate field once, in the configured format, and remove any "
                    + "sent by clients (RFC 9440 §2.4).")
        case .inactiveToken:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is not active",
                step: .introspection, clause: "RFC 7662 §2.2",
                remedy: "The client gets a new token, for example with its refresh token.",
                memory: .always)
        case .malformedStatus:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is malformed",
                step: .status, clause: "draft-ietf-oauth-status-list §6.1",
                remedy:
                    "Have the issuer write status as an object whose status_list has idx, a number from 0, and uri, an "
                    + "absolute URI.")
        case .missingStatus:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is not acceptable",
                step: .status, clause: "draft-ietf-oauth-status-list §8.3",
                remedy:
                    "Have the issuer write a status into each token; or set status_list.use to honour, if it cannot."
            )
        case .unsupportedStatus:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is not acceptable",
                step: .status, clause: "draft-ietf-oauth-status-list §6.1",
                remedy:
                    "Have the issuer give its tokens a status_list; other kinds of status are not known here."
            )
        case .forbiddenStatusList:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is not acceptable",
                step: .status, clause: "draft-ietf-oauth-status-list §11.4",
                remedy:
                    "If the issuer keeps its lists at this origin, list it in status_list.origins.")
        case .revokedToken:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is revoked",
                step: .status, clause: "draft-ietf-oauth-status-list §7.1",
                remedy: "The client gets a new token, if the user still allows it.")
        case .suspendedToken:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is revoked",
                step: .status, clause: "draft-ietf-oauth-status-list §7.1",
                remedy: "The issuer lifts the suspension, or the client gets a new token.")
        case .unacceptedStatus:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is revoked",
                step: .status, clause: "draft-ietf-oauth-status-list §7.1",
                remedy:
                    "If the issuer has agreed with you that this value is good, add it to status_list.valid_values."
            )
        case .statusOutOfRange:
            Row(
                outcome: (401, "invalid_token"), publicText: "The access token is not acceptable",
                step: .status, clause: "draft-ietf-oauth-status-list §8.3",
                remedy: "Have the issuer publish a list that is long enough before it issues the token.")
        case .authenticationTooWeak:
            Row(
                outcome: (401, "insufficient_user_authentication"),
                publicText: "A stronger or more recent authentication is required",
                step: .authentication, clause: "RFC 9470 §3",
                remedy:
                    "The client has its user log in again, with the acr_values and max_age of the challenge "
                    + "(RFC 9470).",
                isAboutRequirement: true)
        case .authenticationTooOld:
            Row(
                outcome: (401, "insufficient_user_authentication"),
                publicText: "A stronger or more recent authentication is required",
                step: .authentication, clause: "RFC 9470 §3",
                remedy:
                    "The client has its user log in again, with the acr_values and max_age of the challenge "
                    + "(RFC 9470).",
                isAboutRequirement: true)
        case .insufficientScope:
            Row(
                outcome: (403, "insufficient_scope"), publicText: "The access token lacks a required scope",
                step: .scopes, clause: "RFC 6750 §3.1",
                remedy:
                    "The client asks for a token with these scopes, and the issuer has to grant them; if they "
                    + "are in another claim, such as scp, name it in tokens.scope_claims.",
                isAboutRequirement: true)
        case .insufficientAuthorizationDetails:
            Row(
                outcome: (403, "insufficient_authorization_details"),
                publicText: "The access token lacks required authorization details",
                step: .details, clause: "RFC 9396 §9",
                remedy: "The client asks for a token with these authorization_details (RFC 9396).",
                isAboutRequirement: true)
        case .ambiguousOperation:
            Row(
                outcome: (400, "invalid_request"),
                publicText: "A field that tells the operation was sent more than once",
                step: .operation, clause: "MCP 2026-07-28, SEP-2243",
                remedy:
                    "The client sends each field that the route's operations name once, in no other spelling, and "
                    + "does not name it in Connection.",
                isAboutRequirement: true)
        case .malformedOperation:
            Row(
                outcome: (400, "invalid_request"),
                publicText: "A field that tells the operation is not encoded as it must be",
                step: .operation, clause: "SEP-2243",
                remedy:
                    "The client writes Mcp-Name and Mcp-Param fields in ASCII, or in Base64 of their UTF-8 between "
                    + "the markers that MCP defines.",
                isAboutRequirement: true)
        case .unversionedOperation:
            Row(
                outcome: (400, "invalid_request"),
                publicText: "The operation needs one MCP-Protocol-Version of 2026-07-28 or later",
                step: .operation, clause: "MCP 2026-07-28, SEP-2243",
                remedy:
                    "The client sends one MCP-Protocol-Version of 2026-07-28 or later: by earlier revisions the "
                    + "server need not compare the fields with the body.",
                isAboutRequirement: true)
        case .missingOperation:
            Row(
                outcome: (400, "invalid_request"), publicText: "A field that tells the operation is missing",
                step: .operation, clause: "MCP 2026-07-28, SEP-2243",
                remedy:
                    "The client sends the fields that the route's operations name; or, if the server behind is safe "
                    + "without them, set other_operations to route.",
                isAboutRequirement: true)
        case .unlistedOperation:
            Row(
                outcome: (403, "insufficient_scope"), publicText: "The operation is not allowed here",
                step: .operation, clause: "SEP-2243",
                remedy:
                    "If the operation may be used, list it in the route's operations with the scopes that it needs.",
                isAboutRequirement: true)
        case .claimConditionUnmet:
            Row(
                outcome: (403, "insufficient_scope"), publicText: "The access token lacks a required claim",
                step: .claimConditions, clause: "RFC 6750 §3.1",
                remedy:
                    "The issuer gives the user this role or attribute, or the route's claims ask for another; more "
                    + "scopes do not help.",
                isAboutRequirement: true)
        case .deniedByDecision:
            Row(
                outcome: (403, "access_denied"), publicText: "The request was denied",
                step: .decision, clause: "AuthZEN 1.0 §6.2",
                remedy: "The app's decision point denies it: its policy or its log says why.",
                isAboutRequirement: true)
        case .decisionUnavailable:
            Row(
                outcome: (503, "temporarily_unavailable"), publicText: nil,
                step: .decision, clause: "AuthZEN 1.0 §6",
                remedy:
                    "Check the app's decision point, and whether it answers within the decision's timeout; the "
                    + "client retries.")
        case .keysUnavailable:
            Row(
                outcome: (503, "temporarily_unavailable"), publicText: nil,
                step: .key, clause: "RFC 8414 §3",
                remedy:
                    "Check the authorization server, the network and our credentials there; the log of that "
                    + "time says more. The client retries.")
        case .statusListUnavailable:
            Row(
                outcome: (503, "temporarily_unavailable"), publicText: nil,
                step: .status, clause: "draft-ietf-oauth-status-list §8.3",
                remedy:
                    "Check the server of the status list and the network; the log of that time says more. The client "
                    + "retries.")
        case .introspectionUnavailable:
            Row(
                outcome: (503, "temporarily_unavailable"), publicText: nil,
                step: .introspection, clause: "RFC 7662 §2.3",
                remedy:
                    "Check the authorization server, the network and our credentials there; the log of that "
                    + "time says more. The client retries.")
        }
    }
}

extension RefusalReason {
    /// The status and the error code that the client gets.
    package var outcome: (status: Int, error: String?) { row.outcome }
    /// The text that the client gets.
    package var publicDescription: String? { row.publicText }
    /// What makes the same request succeed, for the operator.
    package var remedy: String { row.remedy }
    /// Whether the token is valid but insufficient.
    var isAboutRequirement: Bool { row.isAboutRequirement }

    /// The step that refuses for this reason.
    ///
    /// - Parameter isIntrospected: Whether the token is checked by introspection.
    package func step(isIntrospected: Bool) -> AdmissionStep {
        let row = row
        return isIntrospected ? row.introspected ?? row.step : row.step
    }
}
