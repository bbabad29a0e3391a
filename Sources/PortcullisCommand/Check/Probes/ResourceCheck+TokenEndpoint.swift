// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisDiscovery
import PortcullisHTTP
import PortcullisJOSE

extension ResourceCheck {
    /// The requests that a token endpoint must refuse: GET, and a POST without parameters.
    ///
    /// RFC 6749 §3.2, §5.1, §5.2.
    func checkTokenEndpoint(of server: DiscoveredAuthorizationServer, _ report: inout CheckReport) async {
        guard let url = server.tokenEndpoint else { return }
        var faults: [String] = []
        if let response = try? await fetch(url), response.status == .ok {
            report.exchange = Exchange(.get, url, response)
            faults.append("answers GET with 200")
        }
        let form: Fields = [.accept: "application/json", .contentType: "application/x-www-form-urlencoded"]
        if let response = try? await fetch(url, .post, form, body: []) {
            let before = faults.count
            if response.status == .ok { faults.append("answers a POST without parameters with 200") }
            if !response.isJSON || (try? JSONValue.parse(response.body))?.object?["error"]?.string == nil {
                faults.append("does not answer errors as JSON with error")
            }
            let caching = response.fields.values(of: .cacheControl).joined(separator: ",")
            if !ASCII.lowercased(caching).contains("no-store") {
                faults.append("has no Cache-Control: no-store")
            }
            if faults.count > before { report.exchange = Exchange(.post, url, response) }
        }
        if !faults.isEmpty {
            report.note(
                .note, "server.token-endpoint",
                "The token endpoint of \(server.issuer) \(faults.joined(separator: ", ")) (RFC 6749 §5.1, §5.2)."
            )
        }
        await checkTokenPreflight(url, server.issuer, &report)
    }

    private func checkTokenPreflight(_ url: String, _ issuer: String, _ report: inout CheckReport) async {
        let fields: Fields = [
            .origin: Self.origin, "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        ]
        guard let response = try? await fetch(url, .options, fields) else { return }
        guard !response.fields.contains("Access-Control-Allow-Origin") else { return }
        report.exchange = Exchange(.options, url, with: fields, response)
        report.note(
            .note, "server.token-cors",
            "Web pages of other origins cannot call the token endpoint of \(issuer) (Fetch).")
    }

    /// Whether the server sends security events.
    func checkEvents(of issuer: String, _ report: inout CheckReport) async {
        guard let url = try? HTTPURL(issuer) else { return }
        let path = url.path == "/" ? "" : url.path
        let location = url.origin(of: issuer) + "/.well-known/ssf-configuration" + path
        guard let response = try? await fetch(location), response.status == .ok, response.isJSON else {
            return
        }
        report.exchange = Exchange(.get, location, response)
        report.note(.note, "server.events", "\(issuer) sends security events: \(location)")
    }
}
