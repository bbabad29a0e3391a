// SPDX-License-Identifier: MIT

extension CheckRule {
    /// What the documents say together.
    static let agreementRules: [CheckRule] = [
        CheckRule(
            "challenge.removed", .warn, "No proxy removes the challenge.", clause: "RFC 9110 §11.7.1",
            client: "It must guess where the metadata are.",
            mend: "The metadata are there, so a proxy may have removed WWW-Authenticate: in nginx return the "
                + "subrequest's field with auth_request_set and add_header … always."),
        CheckRule(
            "challenge.origin", .warn, "resource_metadata is on the resource's origin.",
            clause: "RFC 9728 §7.3",
            client: "Careful clients refuse a document of another origin.",
            mend: "Serve the document on the resource's own host."),
        CheckRule(
            "challenge.scope-unlisted", .warn, "The document lists the scopes of the challenge.",
            clause: "RFC 9728 §2", client: "It may request a scope that the document does not have.",
            mend: "Add the scopes to scopes_supported."),
        CheckRule(
            "metadata.agreement", .warn, "All copies of the document agree.", clause: "RFC 9728 §3",
            client: "It gets another resource or other authorization servers, depending on where it looks.",
            mend: "Serve one document at all locations."),
        CheckRule(
            "metadata.scope-names", .warn, "No scope permits everything, and none has a blank.",
            clause: "RFC 6749 §3.3", client: "It requests far more than it needs.",
            mend: "Name scopes by what they permit."),
        CheckRule(
            "clients.redirect", .warn, "The metadata are not behind a redirect.", clause: "RFC 9728 §3.2",
            client: "oauth4webapi and other clients that obey the RFC do not follow it.",
            mend: "Answer the metadata URL itself with 200."),
        CheckRule(
            "clients.steps", .note, "Known clients reach the authorization.", clause: "RFC 9728 §5",
            client: "The named client stops at the named step.", mend: "Mend the named finding."),
        CheckRule(
            "root.authorization-server", .note, "The resource's origin has no authorization server metadata.",
            clause: "MCP", client: "Clients of MCP 2025-03-26 use that server, others the document's.",
            mend: "Keep it for old clients, or remove it."),
    ]
}
