// SPDX-License-Identifier: MIT

extension CheckRule {
    /// A gateway in front of another server.
    static let gatewayRules: [CheckRule] = [
        CheckRule(
            "gateway.identity", .fail, "A client's own identity fields do not arrive at the upstream.",
            clause: "RFC 9110 §17", client: "Nothing; anyone can act as another user.",
            mend: "Remove the client's fields in both spellings before setting your own: in nginx "
                + "proxy_set_header for each, and underscores_in_headers off."),
        CheckRule(
            "gateway.unseen", .note, "What arrives at the upstream can be seen.", clause: "RFC 9110 §17",
            client: "Nothing.",
            mend: "Stop the upstream during the check, and give a token that the route accepts."),
    ]
}
