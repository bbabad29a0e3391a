// SPDX-License-Identifier: MIT

extension CheckRule {
    /// The transport, and what answers disclose.
    static let transportRules: [CheckRule] = [
        CheckRule(
            "transport.hsts", .note, "Answers have Strict-Transport-Security.", clause: "RFC 6797 §7",
            client: "A browser may send the first call without TLS.",
            mend: "Send Strict-Transport-Security: max-age=31536000."),
        CheckRule(
            "transport.certificate", .note, "The certificate is valid for 14 days or more.",
            clause: "RFC 5280 §4.1.2.5",
            client: "It refuses the connection once the certificate has expired.",
            mend: "Renew the certificate, and automate that."),
        CheckRule(
            "transport.http", .note, "Port 80 gives no access and no redirect that keeps the path.",
            clause: "RFC 6750 §5.3", client: "A client with an http URL sends its token in the clear.",
            mend: "Close port 80 for the API, or answer 403 there."),
        CheckRule(
            "disclosure.version", .note, "Fields name no version of a product.", clause: "RFC 9110 §10.2.4",
            client: "Nothing; an attacker learns which flaws to try.",
            mend: "nginx: server_tokens off. Express: app.disable('x-powered-by')."),
        CheckRule(
            "disclosure.body", .note, "Error pages disclose nothing of the inside.", clause: "RFC 9110 §17",
            client: "Nothing; an attacker learns the inside of the deployment.",
            mend: "Turn off debug pages, and let a proxy replace error pages."),
    ]
}
