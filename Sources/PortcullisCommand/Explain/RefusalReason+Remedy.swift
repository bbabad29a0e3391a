// SPDX-License-Identifier: MIT

import Portcullis

extension RefusalReason {
    /// What would have the same request let in, for whoever has to see to it.
    var remedy: String {
        switch self {
        case .missingCredentials, .unsupportedScheme, .emptyCredentials, .repeatedCredentials,
            .severalMethods,
            .forbiddenOrigin:
            presentationRemedy
        case .malformedToken, .tokenTooLong, .malformedJWT, .unsupportedTokenFormat, .unsupportedTokenType,
            .unsupportedAlgorithm, .malformedClaims, .missingClaim:
            formRemedy
        case .missingProof, .repeatedProof, .malformedProof, .unsupportedProofAlgorithm, .proofMethodMismatch,
            .proofTargetMismatch, .proofOutsideWindow, .proofTokenMismatch, .invalidProofSignature,
            .proofKeyMismatch, .missingNonce, .staleNonce, .replayedProof, .replayStoreFull,
            .replayStoreUnavailable:
            proofRemedy
        case .unprovenPossession, .boundTokenAsBearer, .unboundToken, .missingClientCertificate,
            .clientCertificateMismatch, .malformedClientCertificate:
            possessionRemedy
        default: tokenRemedy
        }
    }

    private var presentationRemedy: String {
        switch self {
        case .missingCredentials:
            "The client gets a token and sends it in Authorization; if it did, something on the way has taken it off."
        case .unsupportedScheme: "The client sends its token in a scheme that the resource takes."
        case .emptyCredentials:
            "The client puts its token behind the scheme; its variable was empty, in all likelihood."
        case .forbiddenOrigin: "If the page may call the resource, list its origin in cors.allowed_origins."
        default: "The client sends its token once, in one place."
        }
    }

    private var formRemedy: String {
        switch self {
        case .malformedToken:
            "The client sends the token as it got it: nothing quoted, encoded or wrapped around it."
        case .tokenTooLong: "Have the issuer put less into its tokens, or raise tokens.max_token_bytes."
        case .malformedJWT: "The client sends the access token whole; what it sent is no JWT that was signed."
        case .unsupportedTokenFormat:
            "Give the issuer introspection or keys in the file, as its tokens need it."
        case .unsupportedTokenType:
            "The client sends its access token and no ID token; if the issuer predates RFC 9068, add its typ to tokens.types."
        case .unsupportedAlgorithm:
            "Have the issuer sign by one of these algorithms, or add its own to tokens.algorithms."
        default: "Have the issuer put the claim into its tokens, or ask for fewer in tokens.required_claims."
        }
    }

    private var tokenRemedy: String {
        switch self {
        case .unknownIssuer:
            "The client asks an authorization server that the metadata lists; or list this one, spelled as in iss."
        case .unknownKey: "Have the issuer publish the key in its jwks_uri before it signs with it."
        case .ambiguousKey: "Have the issuer name the key in kid."
        case .invalidSignature:
            "The token was changed, or the issuer publishes another key under this kid: have it looked at."
        case .audienceMismatch:
            "The client asks for a token with resource= (RFC 8707) as the metadata spells it; or add what the issuer writes to tokens.audiences."
        case .expired, .inactiveToken: "The client gets a new token, by its refresh token for example."
        case .notYetValid, .issuedInTheFuture:
            "Set the clocks of the issuer and of this machine, or raise tokens.leeway_seconds."
        case .authenticationTooWeak, .authenticationTooOld:
            "The client has its user log in again, with the acr_values and max_age of the challenge (RFC 9470)."
        case .insufficientScope:
            "The client asks for a token with these scopes, and the issuer has to grant them."
        case .insufficientAuthorizationDetails:
            "The client asks for a token with these authorization_details (RFC 9396)."
        case .keysUnavailable, .introspectionUnavailable:
            "See to the authorization server, the way to it and our credentials there: the log of the time says more. The client tries again."
        default: "The client gets a new token."
        }
    }

    private var proofRemedy: String {
        switch self {
        case .missingProof, .repeatedProof: "The client sends one DPoP field with each request."
        case .malformedProof, .unsupportedProofAlgorithm, .invalidProofSignature:
            "The client makes its proofs as RFC 9449 §4.2 says, by an algorithm of the challenge."
        case .proofMethodMismatch, .proofTokenMismatch:
            "The client makes a proof for each request, and for the token that it sends."
        case .proofTargetMismatch:
            "The client makes the proof for the URL that it calls, without query; if it did, the resource identifier is not that URL's origin."
        case .proofOutsideWindow:
            "The client makes its proof right before the request, with a clock that is set."
        case .proofKeyMismatch: "The client signs by the key that it had when it got the token."
        case .missingNonce, .staleNonce:
            "The client tries again with the nonce of DPoP-Nonce; where several processes answer, they need the same nonce_keys."
        case .replayedProof: "The client makes a new proof for each request, also when it tries again."
        case .replayStoreFull:
            "Raise tokens.dpop.replay_cache_entries, or the memory of the store; the client tries again."
        default: "See to the store that processes share; the client tries again."
        }
    }

    private var possessionRemedy: String {
        switch self {
        case .boundTokenAsBearer: "The client sends the token in the scheme DPoP with a proof."
        case .unboundToken:
            "The client gets a token by a request with a DPoP proof, so that it is bound to its key."
        case .missingClientCertificate, .clientCertificateMismatch:
            "The client calls with the certificate that it got the token with; behind a proxy, see to client_cert_field."
        case .malformedClientCertificate:
            "Have the proxy write one Client-Cert field, and strip those of clients (RFC 9440)."
        default: "Have the issuer bind its tokens by jkt or x5t#S256 alone."
        }
    }
}
