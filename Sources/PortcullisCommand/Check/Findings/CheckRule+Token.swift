// SPDX-License-Identifier: MIT

extension CheckRule {
    /// Calls with the user's tokens.
    static let tokenRules: [CheckRule] = [
        CheckRule(
            "token.accepted", .fail, "The user's token is accepted.", clause: "RFC 6750 §3",
            client: "Nothing; the probes with tokens need one that is accepted.",
            mend: "Take a fresh token for this resource, of an issuer that it trusts."),
        CheckRule(
            "token.issuer", .warn, "The document lists the token's issuer.", clause: "RFC 9728 §2",
            client: "It asks another authorization server than the one whose tokens are accepted.",
            mend: "List the issuer as the tokens' iss has it."),
        CheckRule(
            "token.signature", .fail, "A changed token is refused.", clause: "RFC 7515 §5.2",
            client: "Nothing; anyone can change a token.",
            mend:
                "Verify the signature with the issuer's keys before reading a claim; decoding is not verifying."
        ),
        CheckRule(
            "token.unsigned", .fail, "A token without a signature is refused.", clause: "RFC 8725 §2.1",
            client: "Nothing; anyone can make a token.",
            mend: "Give the verifier a list of algorithms, such as algorithms=[\"ES256\"] in PyJWT."),
        CheckRule(
            "token.symmetric", .fail, "A public key is no secret of HMAC.", clause: "RFC 8725 §2.1",
            client: "Nothing; anyone can sign with the published key.",
            mend: "Give the verifier a list without HS algorithms, and keys with their type."),
        CheckRule(
            "token.own-key", .fail, "A token cannot bring its own key.", clause: "RFC 8725 §3.10",
            client: "Nothing; anyone can make a token.", mend: "Ignore jwk, jku, x5c and x5u of a token."),
        CheckRule(
            "token.awkward", .warn, "Tokens that are hard to read are refused.", clause: "RFC 6750 §3.1",
            client: "Nothing; an attacker can make the server fail.",
            mend: "Bound the length and the depth before parsing, and answer 401."),
        CheckRule(
            "token.audience", .fail, "A token for another audience is refused.", clause: "RFC 9068 §4",
            client: "Nothing; another API can use the user's token here.",
            mend:
                "Compare aud with this resource. In Spring Security set audiences; in Keycloak add an audience "
                + "mapper, and check it."),
        CheckRule(
            "token.expired", .fail, "An expired token is refused with invalid_token.",
            clause: "RFC 7519 §4.1.4",
            client: "It does not renew its token.",
            mend: "Check exp on every call; a cache must not keep a token beyond it."),
        CheckRule(
            "token.not-before", .fail, "A token is refused before its nbf.", clause: "RFC 7519 §4.1.5",
            client: "Nothing; a token opens the API before its time.",
            mend: "Check nbf if the token has it, with a leeway of seconds."),
        CheckRule(
            "token.identity", .fail, "An ID token is no access token.", clause: "RFC 8725 §3.12",
            client: "Nothing; a token for the client opens the API.",
            mend: "Check typ and aud; access tokens have the typ at+jwt."),
        CheckRule(
            "token.scope", .warn, "A token without the scope gets 403 with the scope.",
            clause: "RFC 6750 §3.1",
            client: "It does not know which scope to request.",
            mend: "Answer 403 with error=\"insufficient_scope\" and scope=\"…\"."),
        CheckRule(
            "token.bound", .fail, "A bound token needs a proof of its key.", clause: "RFC 9449 §7.1",
            client: "Nothing; a stolen token can be used.",
            mend: "Check cnf: refuse the token as Bearer, and compare jkt with the proof's key."),
        CheckRule(
            "token.query", .fail, "A token in the query gives no access.", clause: "RFC 6750 §2.3",
            client: "Tokens end up in logs.", mend: "Read the token from Authorization only."),
        CheckRule(
            "token.form", .fail, "A token in a form gives no access.", clause: "RFC 6750 §2.2",
            client: "Web pages can send it without a preflight.",
            mend: "Read the token from Authorization only."),
        CheckRule(
            "token.repeated", .warn, "Two Authorization fields are refused.", clause: "RFC 9110 §5.3",
            client: "A proxy and the API may read different tokens.", mend: "Answer 400."),
        CheckRule(
            "token.scheme", .warn, "The scheme may be in any case.", clause: "RFC 9110 §11.1",
            client: "A client that writes bearer gets no access.", mend: "Compare the scheme without case."),
        CheckRule(
            "token.session", .fail, "Every call needs the token.", clause: "MCP",
            client: "A client with the session or the connection needs no token.",
            mend: "Check the token on every request; a session is no authentication."),
        CheckRule(
            "token.cache", .note, "Answers with a token are private.", clause: "RFC 9111 §3.5",
            client: "A shared cache may give the answer to another user.",
            mend: "Send Cache-Control: no-store or private."),
    ]
}
