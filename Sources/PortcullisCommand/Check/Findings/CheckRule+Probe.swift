// SPDX-License-Identifier: MIT

extension CheckRule {
    /// The other requests that clients, browsers and scanners send.
    static let probeRules: [CheckRule] = [
        CheckRule(
            "probe.method", .note, "A resource that refuses GET is called by POST.",
            clause: "RFC 9110 §15.5.6",
            client: "MCP clients call by POST anyway.", mend: "Nothing."),
        CheckRule(
            "probe.bad-token", .fail, "A forged token is refused with invalid_token.",
            clause: "RFC 6750 §3.1", client: "With any other answer it does not request a new token.",
            mend: "Answer 401 with error=\"invalid_token\" and the same resource_metadata."),
        CheckRule(
            "probe.query-token", .fail, "A bad token in the query gives no access.", clause: "RFC 6750 §2.3",
            client: "Tokens in URLs end up in logs.", mend: "Ignore access_token in the query, or refuse it."),
        CheckRule(
            "probe.head", .warn, "HEAD gets the challenge of GET.", clause: "RFC 9110 §9.3.2",
            client: "A client that asks by HEAD learns nothing.", mend: "Guard HEAD as GET."),
        CheckRule(
            "probe.preflight", .note, "Preflights are answered without a token.", clause: "Fetch",
            client: "Browsers do not send the call.",
            mend:
                "Answer OPTIONS before the check of the token, with Access-Control-Allow-Headers: Authorization. "
                + "In Spring Security enable cors()."),
        CheckRule(
            "probe.exposure", .warn, "Web pages can read the challenge.", clause: "Fetch",
            client: "A web client sees a 401 without a reason.",
            mend: "Send Access-Control-Expose-Headers: WWW-Authenticate."),
        CheckRule(
            "probe.unknown-suffix", .fail, "An unknown resource has no document.", clause: "RFC 9728 §3.2",
            client: "It takes an error page or another resource's document for this one's.",
            mend: "Answer 404 below /.well-known/oauth-protected-resource for other paths; in nginx keep "
                + "try_files … /index.html away from /.well-known/."),
        CheckRule(
            "probe.metadata-head", .warn, "HEAD on the metadata URL is answered 200.",
            clause: "RFC 9110 §9.3.2",
            client: "A client that asks by HEAD finds no document.", mend: "Answer HEAD as GET."),
        CheckRule(
            "probe.metadata-preflight", .warn, "Web pages may send MCP-Protocol-Version for the metadata.",
            clause: "Fetch", client: "Web clients such as MCP Inspector cannot read the metadata.",
            mend: "Answer OPTIONS with Access-Control-Allow-Origin and Access-Control-Allow-Headers."),
        CheckRule(
            "probe.metadata-cors", .warn, "Web pages can read the metadata.", clause: "Fetch",
            client: "Web clients cannot read the metadata.", mend: "Send Access-Control-Allow-Origin: *."),
        CheckRule(
            "probe.metadata-open", .fail, "The metadata are public.", clause: "RFC 9728 §3.1",
            client: "It cannot read where to get a token.",
            mend: "Exempt /.well-known/ from authentication; in Spring Security by permitAll(), in nginx by "
                + "auth_request off."),
        CheckRule(
            "probe.metadata-post", .note, "The metadata URL takes GET only.", clause: "RFC 9110 §15.5.6",
            client: "Nothing.", mend: "Answer other methods 405 with Allow."),
        CheckRule(
            "probe.slash", .note, "The document is served with and without a trailing slash.",
            clause: "RFC 9728 §3.1", client: "A client that adds or drops the slash finds no document.",
            mend: "Serve the document at both paths without a redirect."),
        CheckRule(
            "probe.forwarded-host", .fail, "The document does not depend on X-Forwarded-Host.",
            clause: "RFC 9728 §7.3", client: "An attacker's host gets into cached documents.",
            mend: "Configure the public URL, and trust forwarding fields of known proxies only."),
    ]
}
