// SPDX-License-Identifier: MIT

extension CheckRule {
    /// The authorization servers that the document names.
    static let serverRules: [CheckRule] = [
        CheckRule(
            "server.count", .warn, "The document names few authorization servers.", clause: "RFC 9728 §2",
            client: "It tries only the first ones.",
            mend: "Name the servers that issue tokens for this resource."),
        CheckRule(
            "server.metadata", .warn, "Each authorization server has valid metadata of its issuer.",
            clause: "RFC 8414 §3.3", client: "It cannot use this authorization server.",
            mend:
                "Write the issuer exactly as its metadata do, with or without the trailing slash. Keycloak's is "
                + "https://host/realms/NAME."),
        CheckRule(
            "server.media-type", .warn, "The server's metadata are application/json.",
            clause: "RFC 8414 §3.2",
            client: "Strict clients refuse the metadata.", mend: "Send Content-Type: application/json."),
        CheckRule(
            "server.any", .fail, "At least one authorization server can be used.", clause: "RFC 9728 §2",
            client: "It gets no token that can be validated.",
            mend: "Name an issuer with metadata, a token endpoint and keys."),
        CheckRule(
            "server.protected-resources", .warn, "The server lists the resource.", clause: "RFC 9728 §4",
            client: "A careful client refuses a pair that only one side names.",
            mend: "Add the resource to the server's protected_resources, or drop the list."),
        CheckRule(
            "server.scopes", .warn, "The server knows the resource's scopes.", clause: "RFC 8414 §2",
            client: "Its request ends with invalid_scope.",
            mend:
                "Define the scopes at the server. In Keycloak add client scopes and include them in the token "
                + "scope."),
        CheckRule(
            "server.token", .warn, "The server names a token endpoint.", clause: "RFC 8414 §2",
            client: "It cannot exchange its code for a token.", mend: "Publish token_endpoint."),
        CheckRule(
            "server.pkce", .warn, "The authorization server announces PKCE with S256.", clause: "RFC 8414 §2",
            client: "MCP clients stop here.",
            mend: "Publish code_challenge_methods_supported with S256, in the OpenID Connect document too."),
        CheckRule(
            "server.registration", .note, "New clients can identify themselves.", clause: "RFC 7591 §3",
            client: "A user must register a client by hand.",
            mend: "Support client ID metadata documents or a registration_endpoint."),
        CheckRule(
            "server.keys", .warn, "The server publishes usable keys, and no private ones.",
            clause: "RFC 7517 §5",
            client: "The resource cannot validate its tokens; with private keys anyone can make them.",
            mend: "Publish public RSA, EC or Ed25519 keys at jwks_uri; replace a key that was published."),
    ]
}
