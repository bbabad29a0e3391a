// SPDX-License-Identifier: MIT

extension CheckRule {
    /// Client ID metadata documents.
    static let clientDocumentRules: [CheckRule] = [
        CheckRule(
            "client.fetch", .fail, "The document is answered 200 as application/json.",
            clause: "draft-ietf-oauth-client-id-metadata-document",
            client: "The authorization server does not know the client.",
            mend: "Serve the document without a redirect, as application/json."),
        CheckRule(
            "client.json", .fail, "The document is a strict JSON object.", clause: "RFC 8259",
            client: "The authorization server refuses the client.", mend: "Mend the syntax."),
        CheckRule(
            "client.id", .fail, "client_id is the https URL of the document, with a path.",
            clause: "draft-ietf-oauth-client-id-metadata-document",
            client: "The authorization server refuses the client.",
            mend: "Write the URL that the document is served at, byte for byte."),
        CheckRule(
            "client.redirect-uris", .fail, "redirect_uris are complete URLs.", clause: "RFC 9700 §2.1",
            client: "The authorization server refuses the redirect.",
            mend: "List each URL in full, https or loopback, without wildcards."),
        CheckRule(
            "client.secret", .fail, "The document has no secrets.",
            clause: "draft-ietf-oauth-client-id-metadata-document", client: "Anyone can act as the client.",
            mend: "Use none or private_key_jwt, and replace a secret that was published."),
        CheckRule(
            "client.name", .warn, "The document has a client_name.", clause: "RFC 7591 §2",
            client: "The user sees a URL instead of a name.", mend: "Add client_name."),
        CheckRule(
            "client.application-type", .note, "The document has an application_type.", clause: "MCP",
            client: "Servers take the client for a web application.",
            mend: "Add application_type: native for loopback redirects, web otherwise."),
    ]
}
