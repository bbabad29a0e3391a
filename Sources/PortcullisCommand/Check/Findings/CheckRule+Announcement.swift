// SPDX-License-Identifier: MIT

extension CheckRule {
    /// What an authorization server announces.
    static let announcementRules: [CheckRule] = [
        CheckRule(
            "server.grants", .warn, "The server announces neither password nor implicit.",
            clause: "RFC 9700 §2.4",
            client: "Nothing; attackers use the weaker grant.",
            mend: "Turn the grants off. In Keycloak: the client's direct access grants and implicit flow."),
        CheckRule(
            "server.response-types", .warn, "The server announces no token in the URL.",
            clause: "RFC 9700 §2.1.2",
            client: "Tokens end up in histories and logs.", mend: "Announce the response type code only."),
        CheckRule(
            "server.plain", .warn, "The server does not announce PKCE with plain.", clause: "RFC 9700 §2.1.1",
            client: "A downgraded request is accepted.", mend: "Announce S256 only."),
        CheckRule(
            "server.algorithms", .warn, "The server announces no unsigned tokens.", clause: "RFC 8725 §3.1",
            client: "It may accept a token without a signature.",
            mend: "Remove none from the *_alg_values_supported; in Keycloak by a client policy."),
        CheckRule(
            "server.hosts", .note, "The endpoints are at the issuer's host.", clause: "RFC 8414 §2",
            client: "It sends its code to another host.", mend: "Nothing if the hosts are yours."),
        CheckRule(
            "server.iss", .note, "The server names itself in authorization responses.", clause: "RFC 9207 §3",
            client: "It cannot detect a mix-up of two servers.",
            mend: "Send iss, and announce authorization_response_iss_parameter_supported."),
        CheckRule(
            "server.offers", .note, "The server offers what a resource may use.", clause: "RFC 8414 §2",
            client: "Nothing.", mend: "Nothing."),
        CheckRule(
            "server.events", .note, "The server sends security events.", clause: "RFC 8935 §2",
            client: "Nothing.",
            mend: "Nothing; a resource can subscribe to them."),
        CheckRule(
            "server.token-endpoint", .note, "The token endpoint refuses requests without parameters as JSON.",
            clause: "RFC 6749 §5.2", client: "It cannot read the error, or a cache keeps a token.",
            mend: "Answer 400 with {\"error\": \"invalid_request\"} and Cache-Control: no-store."),
        CheckRule(
            "server.token-cors", .note, "Web clients can call the token endpoint.", clause: "Fetch",
            client: "Clients in browsers cannot exchange their code.",
            mend: "Send Access-Control-Allow-Origin; in Keycloak set the client's web origins."),
        CheckRule(
            "server.weak-keys", .warn, "Published keys are public and strong.", clause: "RFC 7518 §3.3",
            client: "The resource refuses its tokens, or anyone can sign them.",
            mend: "Publish RSA keys of 2048 bits, EC or Ed25519 keys; never kty oct."),
        CheckRule(
            "server.key-identifiers", .warn, "Each key has its own kid.", clause: "RFC 7517 §4.5",
            client: "The resource tries several keys or the wrong one.", mend: "Give each key another kid."),
        CheckRule(
            "server.key-algorithms", .note, "Each key names an algorithm that resources verify.",
            clause: "draft-ietf-oauth-rfc8725bis §3.2",
            client: "The resource must choose the algorithm, or cannot verify the tokens.",
            mend: "Add alg to each key."),
        CheckRule(
            "server.entra", .warn, "The scopes of a tenant of Entra ID begin with the resource.",
            clause: "Entra",
            client: "Its request with resource and scope ends with an error of Entra ID.",
            mend: "Set the App ID URI to the resource's URL and list full scopes (https://…/scope), or list "
                + "api://<app id>/scope for clients that leave resource out."),
    ]
}
