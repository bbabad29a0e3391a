// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP

extension ResourceCheck {
    /// What the resource answers on the port without TLS, and whether browsers are told to stay away from it.
    ///
    /// RFC 6797 §7, RFC 6750 §5.3.
    func transportProbes(_ identifier: ResourceIdentifier, _ answer: FetchResponse) async -> [Finding] {
        guard identifier.url.isSecure else { return [] }
        var findings: [Finding] = []
        if !answer.fields.contains("Strict-Transport-Security") {
            findings.append(
                Finding(
                    .note, "transport.hsts", "The 401 has no Strict-Transport-Security.",
                    exchange: Exchange(.get, identifier.text, answer)))
        }
        if let peer = certificates.peer(of: identifier.url.host) {
            let days = peer.daysLeft
            findings.append(
                days < Self.certificateWarningDays
                    ? Finding(
                        .note, "transport.certificate", "The certificate expires in \(max(0, days)) days.",
                        exchange: Exchange(
                            sent: "a handshake with \(identifier.url.host)",
                            received: "\(peer.version), a certificate for \(days) days"))
                    : Finding(
                        .pass, "transport.certificate",
                        "The certificate is valid for \(days) days, over \(peer.version)."))
        }
        if identifier.url.port == 443, let finding = await plainPort(identifier) { findings.append(finding) }
        return findings
    }

    /// A certificate that expires earlier should have been renewed.
    private static let certificateWarningDays = 14

    private func plainPort(_ identifier: ResourceIdentifier) async -> Finding? {
        let plain = "http" + identifier.text.dropFirst("https".count)
        guard let response = try? await fetch(plain) else { return nil }
        let exchange = Exchange(.get, plain, response)
        switch response.status.code {
        case 200..<300:
            return Finding(
                .note, "transport.http", "Port 80 is answered \(response.status.code) without TLS.",
                exchange: exchange)
        case 300..<400 where response.fields[.location]?.hasSuffix(identifier.path) == true:
            return Finding(
                .note, "transport.http",
                "Port 80 redirects with the path, so a client with an http URL sends its token in the clear and "
                    + "nobody notices.", exchange: exchange)
        default: return nil
        }
    }
}
