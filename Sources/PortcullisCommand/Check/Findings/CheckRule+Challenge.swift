// SPDX-License-Identifier: MIT

extension CheckRule {
    /// A call without a token, and what known clients make of its answer.
    static let challengeRules: [CheckRule] = [
        CheckRule(
            "challenge.status", .warn, "A call without a token is answered 401.", clause: "RFC 6750 §3.1",
            client: "It does not start the authorization, and shows an error or the open answer.",
            mend: "Let the resource itself answer 401 before its own routing; behind nginx, let auth_request "
                + "return 401 and not a redirect to a login page."),
        CheckRule(
            "challenge.present", .fail, "The 401 has a challenge.", clause: "RFC 9110 §15.5.2",
            client: "It does not learn the scheme, and derives the metadata's location or gives up.",
            mend:
                "Send WWW-Authenticate: Bearer resource_metadata=\"…\". In nginx use add_header … always, and "
                + "pass the upstream's field with proxy_pass_header."),
        CheckRule(
            "challenge.grammar", .fail, "WWW-Authenticate conforms to the grammar.",
            clause: "RFC 9110 §11.6.1",
            client: "Strict clients drop the whole field; loose ones read other values.",
            mend:
                "Quote every parameter's value, and put a comma between parameters but not after the scheme."),
        CheckRule(
            "challenge.parameters", .fail, "A Bearer challenge has a parameter.", clause: "RFC 6750 §3",
            client: "It cannot tell the scheme from a token68 and ignores the challenge.",
            mend: "Add resource_metadata=\"…\" to the challenge."),
        CheckRule(
            "challenge.scheme", .fail, "A challenge has the scheme Bearer or DPoP.", clause: "RFC 6750 §3",
            client: "It does not know the scheme and stops.",
            mend: "Send a Bearer or a DPoP challenge; in Spring Security use oauth2ResourceServer and not "
                + "httpBasic for these paths."),
        CheckRule(
            "challenge.resource-metadata", .warn, "The challenge names the metadata URL, absolute and https.",
            clause: "RFC 9728 §5.1",
            client: "It derives the well-known location, or stops if the URL is relative or not https.",
            mend:
                "Add resource_metadata with the absolute https URL of the document. FastMCP derives it from "
                + "base_url, Spring Security from the request: set the public URL there."),
        CheckRule(
            "challenge.scope", .note, "The challenge names the scopes that the call needs.",
            clause: "RFC 6750 §3",
            client: "It requests every scope of scopes_supported.",
            mend: "Add scope=\"…\" with what this route needs."),
        CheckRule(
            "challenge.error", .warn, "A challenge for a call without a token has no error.",
            clause: "RFC 6750 §3.1",
            client: "It may take a valid token for a bad one and drop it.",
            mend:
                "Send error only if the request had a token. Spring Security and the mcp package send it always; "
                + "a custom entry point can leave it out."),
        CheckRule(
            "challenge.cache", .note, "The 401 is not cached.", clause: "RFC 9111 §5.2.2.5",
            client: "A cache may repeat the 401 after the user has signed in.",
            mend: "Send Cache-Control: no-store with the 401."),
        CheckRule(
            "clients.challenge", .warn, "Known clients find the metadata in the challenge.",
            clause: "RFC 9728 §5.1", client: "The named client does not find the metadata.",
            mend:
                "Send one Bearer challenge with quoted values, first in the field and apart from Negotiate or "
                + "Basic."),
        CheckRule(
            "clients.resource", .warn, "Known clients accept the document's resource.",
            clause: "RFC 9728 §3.3",
            client: "The named client refuses the document.",
            mend: "Serve the document with the resource that clients call, byte for byte."),
    ]
}
