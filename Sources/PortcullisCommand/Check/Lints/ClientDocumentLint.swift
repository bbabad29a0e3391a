// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisDiscovery
import PortcullisHTTP
import PortcullisJOSE

/// Checks a client ID metadata document.
///
/// draft-ietf-oauth-client-id-metadata-document §4, RFC 7591 §2.
enum ClientDocumentLint {
    /// Members that only a registered client has, or that are secrets.
    private static let secrets = ["client_secret", "client_secret_expires_at"]
    private static let secretMethods = ["client_secret_basic", "client_secret_post", "client_secret_jwt"]

    /// Checks the bytes of a document.
    ///
    /// - Parameter location: The URL that the document comes from; `nil` for a file.
    static func check(_ body: [UInt8], at location: String?, _ report: inout CheckReport) {
        guard let document = (try? JSONValue.parse(body))?.object else {
            report.note(.fail, "client.json", "The document is not a strict JSON object.")
            return
        }
        report.note(.pass, "client.json", "The document is a JSON object.")
        checkIdentifier(document, at: location, &report)
        checkRedirects(document, &report)
        checkSecrets(document, &report)
        if document["client_name"]?.string?.isEmpty ?? true {
            report.note(.warn, "client.name", "There is no client_name to show to users.")
        }
        if document["application_type"]?.string == nil {
            report.note(
                .note, "client.application-type",
                "There is no application_type, so the client counts as web and may not use loopback.")
        }
    }

    private static func checkIdentifier(
        _ document: JSONObject, at location: String?, _ report: inout CheckReport
    ) {
        guard let identifier = document["client_id"]?.string else {
            report.note(.fail, "client.id", "There is no client_id.")
            return
        }
        guard let url = try? HTTPURL(identifier), url.isSecure || url.isLoopback, !url.hasFragment,
            url.path.utf8.count > 1, url.query == nil
        else {
            report.note(
                .fail, "client.id",
                "The client_id is not an https URL with a path and without query and fragment: "
                    + Exchange.shown(identifier))
            return
        }
        if let location, !location.utf8.elementsEqual(identifier.utf8) {
            report.note(
                .fail, "client.id",
                "The client_id is \(Exchange.shown(identifier)), not the URL of the document.")
        } else {
            report.note(.pass, "client.id", "The client_id is an https URL with a path.")
        }
    }

    private static func checkRedirects(_ document: JSONObject, _ report: inout CheckReport) {
        guard let redirects = document["redirect_uris"]?.strings, !redirects.isEmpty else {
            report.note(.fail, "client.redirect-uris", "There are no redirect_uris.")
            return
        }
        let failures = report.count(of: .fail)
        for redirect in redirects {
            let shown = Exchange.shown(redirect)
            if redirect.utf8.contains(0x2A) {
                report.note(
                    .fail, "client.redirect-uris",
                    "A redirect_uri has a wildcard, but they are compared exactly: \(shown)", about: shown)
            } else if redirect.utf8.contains(0x23) {
                report.note(
                    .fail, "client.redirect-uris", "A redirect_uri has a fragment: \(shown)", about: shown)
            } else if let url = try? HTTPURL(redirect), !url.isSecure, !url.isLoopback {
                report.note(
                    .fail, "client.redirect-uris", "A redirect_uri is not https: \(shown)", about: shown)
            }
        }
        if report.count(of: .fail) == failures {
            report.note(.pass, "client.redirect-uris", "The redirect_uris can be compared exactly.")
        }
    }

    private static func checkSecrets(_ document: JSONObject, _ report: inout CheckReport) {
        for name in secrets where document[name] != nil {
            report.note(
                .fail, "client.secret", "The public document has \(name).", about: name)
        }
        if let method = document["token_endpoint_auth_method"]?.string, secretMethods.contains(method) {
            report.note(
                .fail, "client.secret",
                "The method \(method) needs a secret, which a client with a public document cannot have.",
                about: "token_endpoint_auth_method")
        }
        let keys = (document["jwks"]?.object?["keys"]?.array ?? []).compactMap(\.object)
        if keys.contains(where: { $0["d"] != nil || $0["k"] != nil }) {
            report.note(.fail, "client.secret", "The public document has a private key.", about: "jwks")
        }
    }
}
