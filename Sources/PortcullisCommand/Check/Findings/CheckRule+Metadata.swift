// SPDX-License-Identifier: MIT

extension CheckRule {
    /// The metadata document, where it is and what it says.
    static let metadataRules: [CheckRule] = [
        CheckRule(
            "metadata.status", .fail, "The metadata URL is answered 200.", clause: "RFC 9728 §3.2",
            client: "It has no document and stops, or tries the root.",
            mend: "Serve the document at the URL without a redirect. In nginx give "
                + "/.well-known/oauth-protected-resource a location of its own, before the one of the app."),
        CheckRule(
            "metadata.media-type", .fail, "The media type of the document is application/json.",
            clause: "RFC 9728 §3.2", client: "It refuses the document.",
            mend:
                "Send Content-Type: application/json; in nginx set default_type application/json for a file "
                + "without an extension."),
        CheckRule(
            "metadata.cache", .warn, "Cache-Control says how long the document is fresh.",
            clause: "RFC 9728 §7.10",
            client: "It fetches the document again for every call, or keeps an old one.",
            mend: "Send Cache-Control: max-age=3600 or another age."),
        CheckRule(
            "metadata.etag", .note, "The document has an ETag.", clause: "RFC 9110 §8.8.3",
            client: "It fetches the whole document again.", mend: "Send an ETag."),
        CheckRule(
            "metadata.json", .fail, "The document is a strict JSON object.", clause: "RFC 8259",
            client: "It refuses the document.", mend: "Mend the named place; names may not be repeated."),
        CheckRule(
            "metadata.member", .fail, "Each member has the form that RFC 9728 requires.",
            clause: "RFC 9728 §2",
            client: "It refuses the document or ignores the member.",
            mend: "Mend the member at the named path."),
        CheckRule(
            "metadata.members", .fail, "Every member conforms.", clause: "RFC 9728 §2",
            client: "It refuses the document.", mend: "Mend the members that are named."),
        CheckRule(
            "metadata.empty", .warn, "Empty arrays are left out.", clause: "RFC 9728 §3.2",
            client: "It may take the empty list for a refusal of everything.", mend: "Leave the member out."),
        CheckRule(
            "metadata.name", .note, "The document has a resource_name.", clause: "RFC 9728 §2",
            client: "It shows the URL to the user.", mend: "Add resource_name."),
        CheckRule(
            "metadata.scopes", .note, "The document lists the scopes.", clause: "RFC 9728 §2",
            client: "It does not know which scopes to request.", mend: "Add scopes_supported."),
        CheckRule(
            "metadata.resource", .fail, "The document's resource is the requested URL.",
            clause: "RFC 9728 §3.3",
            client: "It must not use the document.",
            mend:
                "Configure the public URL of the resource, with its exact path and no other trailing slash. "
                + "Behind a proxy, FastMCP and Spring derive it from the inner request unless it is configured."
        ),
        CheckRule(
            "metadata.signed", .fail, "The signed_metadata is valid.", clause: "RFC 9728 §2.2",
            client: "It refuses the document, or ignores the signed values.",
            mend: "Sign again with a key of the resource's jwks_uri, or leave signed_metadata out."),
        CheckRule(
            "metadata.derived", .warn, "The document is at the derived location too.",
            clause: "RFC 9728 §3.1",
            client: "A client that does not read challenges finds no document.",
            mend:
                "Serve the document at /.well-known/oauth-protected-resource followed by the resource's path."
        ),
        CheckRule(
            "root.document", .note, "There is a document at the root.", clause: "RFC 9728 §3.1",
            client: "Scanners, and clients that look only there, find nothing.",
            mend:
                "If the host has one resource, serve its document at /.well-known/oauth-protected-resource too."
        ),
    ]
}
