// SPDX-License-Identifier: MIT

import Portcullis

/// Microsoft Entra ID compares the `resource` parameter with the scopes of a request, and refuses pairs that
/// clients make from many documents.
///
/// Its errors AADSTS9010010, AADSTS901002, AADSTS500011 and AADSTS650053.
enum EntraRule {
    private static let hosts = [
        "login.microsoftonline.com", "sts.windows.net", "login.microsoftonline.us",
        "login.partner.microsoftonline.cn", "login.chinacloudapi.cn", "login.microsoftonline.de",
    ]
    /// Scopes of OpenID Connect, which belong to no resource.
    private static let neutral = ["openid", "profile", "email", "offline_access"]

    /// Whether an issuer is a tenant of Entra ID.
    static func applies(to issuer: String) -> Bool {
        guard let url = try? HTTPURL(issuer) else { return false }
        return hosts.contains(url.host)
    }

    /// The finding on a document, or `nil` if Entra ID issues none of its tokens.
    static func finding(resource: String, scopes: [String], issuers: [String]) -> Finding? {
        guard let issuer = issuers.first(where: applies) else { return nil }
        let scopes = scopes.filter { !neutral.contains($0) }
        let isURL = resource.utf8.starts(with: "https://".utf8)
        let isFull = scopes.contains { belongs($0, to: resource) }
        if isURL, isFull {
            return Finding(
                .pass, "server.entra", "The scopes begin with the resource, as Entra ID demands.",
                about: issuer)
        }
        if !isURL || scopes.isEmpty {
            return Finding(
                .note, "server.entra",
                scopes.isEmpty
                    ? "Entra ID compares resource with the scopes, and the document lists no scope."
                    : "Entra ID accepts these scopes only from a client that leaves out the resource parameter.",
                about: issuer)
        }
        let errors =
            scopes.contains { $0.hasPrefix("api://") }
            ? "AADSTS9010010: resource and scopes name different applications"
            : "AADSTS500011 or AADSTS650053"
        return Finding(
            .warn, "server.entra",
            "No scope begins with the resource, so Entra ID refuses requests with both (\(errors)).",
            about: issuer)
    }

    private static func belongs(_ scope: String, to resource: String) -> Bool {
        let base = resource.utf8.last == 0x2F ? resource : resource + "/"
        return scope.utf8.starts(with: base.utf8)
    }
}
