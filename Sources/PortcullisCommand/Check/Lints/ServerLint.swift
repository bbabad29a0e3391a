// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisDiscovery
import PortcullisJOSE

/// Checks what an authorization server announces.
///
/// RFC 8414 §2, RFC 9700 §2.
struct ServerLint {
    let server: DiscoveredAuthorizationServer

    private var issuer: String { server.issuer }
    private func list(_ name: String) -> [String] { server.document[name]?.strings ?? [] }

    func check(_ report: inout CheckReport) {
        checkFlows(&report)
        checkAlgorithms(&report)
        checkHosts(&report)
        if server.authorizationEndpoint != nil,
            server.document["authorization_response_iss_parameter_supported"]?.bool != true
        {
            report.note(
                .note, "server.iss",
                "\(issuer) does not announce iss in authorization responses (RFC 9207 §3).")
        }
        let offers = offers
        if !offers.isEmpty {
            report.note(
                .note, "server.offers", "\(issuer) offers besides: \(offers.joined(separator: ", ")).")
        }
    }

    private func checkFlows(_ report: inout CheckReport) {
        let grants = list("grant_types_supported").filter { ["password", "implicit"].contains($0) }
        if !grants.isEmpty {
            report.note(
                .warn, "server.grants",
                "\(issuer) announces the grants \(grants.joined(separator: " and ")) (RFC 9700 §2.1.2, §2.4)."
            )
        }
        let types = list("response_types_supported").filter { $0.split(separator: " ").contains("token") }
        if !types.isEmpty {
            report.note(
                .warn, "server.response-types",
                "\(issuer) announces access tokens in the URL of the authorization response (RFC 9700 §2.1.2)."
            )
        }
        if list("code_challenge_methods_supported").contains("plain") {
            report.note(
                .warn, "server.plain", "\(issuer) announces PKCE with plain (RFC 9700 §2.1.1).")
        }
    }

    private func checkAlgorithms(_ report: inout CheckReport) {
        let names = server.document.members.filter { member in
            member.name.hasSuffix("_alg_values_supported")
                && (member.value.strings ?? []).contains { $0.lowercased() == "none" }
        }.map(\.name)
        if !names.isEmpty {
            report.note(
                .warn, "server.algorithms",
                "\(issuer) announces unsigned tokens: none in \(names.joined(separator: ", ")).")
        }
    }

    private func checkHosts(_ report: inout CheckReport) {
        guard let own = (try? HTTPURL(issuer))?.host else { return }
        let names = ["authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint"]
        let others = names.filter { name in
            guard let url = server.document[name]?.string, let host = (try? HTTPURL(url))?.host else {
                return false
            }
            return host != own
        }
        if !others.isEmpty {
            report.note(
                .note, "server.hosts",
                "\(issuer) has endpoints at other hosts than its own: \(others.joined(separator: ", ")).")
        }
    }

    /// What others than new clients may use.
    private var offers: [String] {
        var offers: [String] = []
        if server.introspectionEndpoint != nil { offers.append("introspection") }
        if server.document["status_list_aggregation_endpoint"]?.string != nil {
            offers.append("status lists")
        }
        let proofs = list("dpop_signing_alg_values_supported")
        if !proofs.isEmpty { offers.append("DPoP (\(Exchange.shown(proofs.joined(separator: " "))))") }
        if list("grant_types_supported").contains("urn:ietf:params:oauth:grant-type:token-exchange") {
            offers.append("token exchange")
        }
        return offers
    }
}
