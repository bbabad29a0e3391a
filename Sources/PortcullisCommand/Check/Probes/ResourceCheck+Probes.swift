// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisDiscovery
import PortcullisHTTP
import PortcullisJOSE

extension ResourceCheck {
    private typealias Probe = @Sendable () async -> [Finding]

    /// Sends the other requests of browsers, scanners and careless clients, all at once.
    ///
    /// - Parameter form: How the resource is called.
    func probes(
        _ identifier: ResourceIdentifier, location: String, _ answer: FetchResponse, _ form: CallForm
    ) async -> [Finding] {
        let url = identifier.text
        var probes: [Probe] = [
            { await badToken(url, answer, form) }, { await tokenInQuery(url, answer, form) },
            { await preflight(url, form.method) }, { await exposure(url, form) },
            { await unknownSuffix(identifier) }, { await transportProbes(identifier, answer) },
            { await disclosure(identifier, answer) },
        ]
        // HEAD goes with GET. RFC 9110 §9.3.2.
        if form == .get { probes.append { await head(url, answer) } }
        if form.isMCP { probes.append { await mcpProbes(url, answer) } }
        if IssuerURL.isFetchable(location, allowingInsecureLoopback: allowsLoopback) {
            probes += [
                { await metadataHead(location) }, { await metadataPreflight(location) },
                { await metadataInBrowsers(location) }, { await metadataWithToken(location) },
                { await metadataPost(location) }, { await slashVariant(location, identifier) },
                { await forwardedHost(location) },
            ]
        }
        return await withTaskGroup(of: (Int, [Finding]).self) { group in
            for (index, probe) in probes.enumerated() { group.addTask { (index, await probe()) } }
            var results: [(Int, [Finding])] = []
            for await result in group { results.append(result) }
            return results.sorted { $0.0 < $1.0 }.flatMap(\.1)
        }
    }

    /// Calls the resource with these fields besides, and judges the response.
    private func probe(
        _ code: String, _ url: String, as form: CallForm, _ fields: Fields,
        _ judge: (FetchResponse) -> (Finding.Level, String)?
    ) async -> [Finding] {
        var all = form.fields
        for field in fields { all[field.name] = field.value }
        return await probe(code, url, form.method, all, body: form.body, judge)
    }

    /// Sends a request, and judges the response.
    private func probe(
        _ code: String, _ url: String, _ method: Method = .get, _ fields: Fields = [:], body: [UInt8]? = nil,
        _ judge: (FetchResponse) -> (Finding.Level, String)?
    ) async -> [Finding] {
        let response: FetchResponse
        do throws(FetchError) {
            response = try await fetch(url, method, fields, body: body)
        } catch {
            let exchange = Exchange(method, url, with: fields, error)
            return [
                Finding(
                    .warn, code, "There was no complete response from \(url): \(error).", exchange: exchange)
            ]
        }
        let exchange = Exchange(method, url, with: fields, response)
        return judge(response).map { [Finding($0.0, code, $0.1, exchange: exchange)] } ?? []
    }

    // MARK: The resource

    /// An origin that no deployment knows.
    static let origin = "https://portcullis-check.example"
    /// A token that no authorization server has issued.
    private static let badToken = "portcullis-check.not-a-token"

    private func badToken(_ url: String, _ answer: FetchResponse, _ form: CallForm) async -> [Finding] {
        let fields: Fields = [.authorization: "Bearer \(Self.badToken)"]
        return await probe("probe.bad-token", url, as: form, fields) { response in
            let error = (try? ReceivedChallenge.list(in: response.fields.values(of: .wwwAuthenticate)))?
                .compactMap { $0["error"] }.first
            switch response.status.code {
            // A public URL is answered the same with and without a token.
            case 200..<300 where answer.status == response.status: return nil
            case 200..<300: return (.fail, "An invalid token is answered \(response.status.code).")
            case 401 where error == "invalid_token":
                return (.pass, "An invalid token is refused with invalid_token.")
            case 401:
                return (
                    .warn, "An invalid token is refused without error=\"invalid_token\" (RFC 6750 §3.1)."
                )
            case 500...:
                return (.warn, "An invalid token is answered \(response.status.code).")
            default:
                return (
                    .warn,
                    "An invalid token is answered \(response.status.code) and not 401 (RFC 6750 §3.1)."
                )
            }
        }
    }

    private func tokenInQuery(_ url: String, _ answer: FetchResponse, _ form: CallForm) async -> [Finding] {
        let separator = url.utf8.contains(0x3F) ? "&" : "?"
        let call = "\(url)\(separator)access_token=\(Self.badToken)"
        return await probe("probe.query-token", call, as: form, [:]) { response in
            switch response.status.code {
            case 400, 401: (.pass, "An invalid token in the query is refused.")
            case 200..<300 where answer.status == response.status: nil
            case 200..<300:
                (.fail, "An invalid token in the query is answered \(response.status.code).")
            case 500...: (.warn, "A token in the query is answered \(response.status.code).")
            default: nil
            }
        }
    }

    private func head(_ url: String, _ answer: FetchResponse) async -> [Finding] {
        guard answer.status == .unauthorized else { return [] }
        return await probe("probe.head", url, .head) { response in
            let isSame = response.status == answer.status && response.fields.contains(.wwwAuthenticate)
            return isSame
                ? (.pass, "HEAD gets the same challenge as GET.")
                : (.warn, "HEAD does not get GET's challenge: \(response.status.code) (RFC 9110 §9.3.2).")
        }
    }

    private func preflight(_ url: String, _ method: Method) async -> [Finding] {
        let fields: Fields = [
            .origin: Self.origin, "Access-Control-Request-Method": method.name,
            "Access-Control-Request-Headers": "authorization",
        ]
        return await probe("probe.preflight", url, .options, fields) { response in
            let allowed = ASCII.lowercased(response.fields["Access-Control-Allow-Headers"] ?? "")
            switch response.status.code {
            case 200..<300 where allowed.contains("authorization"):
                return (.pass, "The preflight allows browsers to send a token.")
            case 401, 403:
                return (
                    .warn,
                    "A preflight is answered \(response.status.code), but browsers send it without a token "
                        + "(Fetch)."
                )
            default:
                return (
                    .note,
                    "Web pages of other origins cannot call the resource: the preflight does not allow it."
                )
            }
        }
    }

    private func exposure(_ url: String, _ form: CallForm) async -> [Finding] {
        await probe("probe.exposure", url, as: form, [.origin: Self.origin]) { response in
            guard response.status == .unauthorized else { return nil }
            let exposed = ASCII.lowercased(response.fields["Access-Control-Expose-Headers"] ?? "")
            guard response.fields.contains("Access-Control-Allow-Origin") else { return nil }
            return exposed.contains("www-authenticate")
                ? (.pass, "Web pages can read the challenge.")
                : (
                    .warn,
                    "Web pages can read the 401, but not its WWW-Authenticate: it is not exposed (Fetch)."
                )
        }
    }

    private func unknownSuffix(_ identifier: ResourceIdentifier) async -> [Finding] {
        let root = identifier.url.origin(of: identifier.text) + WellKnownLocation.root
        return await probe("probe.unknown-suffix", "\(root)/portcullis-check/no-such-resource") { response in
            switch response.status.code {
            case 404: (.pass, "The well-known path of an unknown resource is answered 404.")
            case 200..<300:
                (
                    .fail,
                    "The well-known path of an unknown resource is answered \(response.status.code): the "
                        + "server has documents, or error pages, for any path (RFC 9728 §3.2, §3.3)."
                )
            case 500...:
                (
                    .warn,
                    "The well-known path of an unknown resource is answered \(response.status.code); some "
                        + "clients then give up."
                )
            default:
                (
                    .warn,
                    "The well-known path of an unknown resource is answered \(response.status.code) and not "
                        + "404."
                )
            }
        }
    }

    /// What the answer without a token and a page that does not exist tell of the inside.
    private func disclosure(_ identifier: ResourceIdentifier, _ answer: FetchResponse) async -> [Finding] {
        var findings = Disclosure.findings(identifier.text, answer)
        let page = identifier.url.origin(of: identifier.text) + "/portcullis-check/no-such-page"
        guard let response = try? await fetch(page) else { return findings }
        for finding in Disclosure.findings(page, response)
        where !findings.contains(where: { $0.code == finding.code && $0.about == finding.about }) {
            findings.append(finding)
        }
        return findings
    }

    // MARK: The document

    private func metadataHead(_ url: String) async -> [Finding] {
        await probe("probe.metadata-head", url, .head) { response in
            response.status == .ok
                ? (.pass, "HEAD on the metadata URL is answered 200.")
                : (.warn, "HEAD on the metadata URL is answered \(response.status.code) (RFC 9110 §9.3.2).")
        }
    }

    private func metadataPreflight(_ url: String) async -> [Finding] {
        let fields: Fields = [
            .origin: Self.origin, "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "mcp-protocol-version",
        ]
        return await probe("probe.metadata-preflight", url, .options, fields) { response in
            let isAllowed =
                (200..<300).contains(response.status.code)
                && response.fields.contains("Access-Control-Allow-Origin")
                && response.fields.contains("Access-Control-Allow-Headers")
            return isAllowed
                ? (.pass, "The metadata's preflight allows web pages to send MCP-Protocol-Version.")
                : (
                    .warn,
                    "Web pages that send MCP-Protocol-Version cannot read the metadata: the preflight fails."
                )
        }
    }

    private func metadataInBrowsers(_ url: String) async -> [Finding] {
        await probe("probe.metadata-cors", url, .get, [.origin: Self.origin]) { response in
            guard response.status == .ok else { return nil }
            let allowed = response.fields["Access-Control-Allow-Origin"]
            return allowed == "*" || allowed == Self.origin
                ? (.pass, "Web pages can read the metadata.")
                : (.warn, "Web pages of other origins cannot read the metadata (Fetch).")
        }
    }

    private func metadataWithToken(_ url: String) async -> [Finding] {
        await probe("probe.metadata-open", url, .get, [.authorization: "Bearer \(Self.badToken)"]) {
            response in
            switch response.status.code {
            case 200: (.pass, "The metadata are public, even to requests with an invalid token.")
            case 401, 403:
                (
                    .fail,
                    "The metadata are refused to requests with an invalid token, but must be public "
                        + "(RFC 9728 §3.1)."
                )
            default: nil
            }
        }
    }

    private func metadataPost(_ url: String) async -> [Finding] {
        await probe("probe.metadata-post", url, .post) { response in
            response.status == .methodNotAllowed
                ? (.pass, "POST on the metadata URL is answered 405.")
                : (.note, "POST on the metadata URL is answered \(response.status.code) and not 405.")
        }
    }

    private func slashVariant(_ location: String, _ identifier: ResourceIdentifier) async -> [Finding] {
        guard location.utf8.elementsEqual(identifier.metadataURL.utf8), identifier.query == nil else {
            return []
        }
        let variant = location.utf8.last == 0x2F ? String(location.dropLast()) : location + "/"
        return await probe("probe.slash", variant) { response in
            switch response.status.code {
            case 200:
                (.pass, "The document is served with and without a trailing slash.")
            case 300..<400:
                (.warn, "With a different trailing slash there is a redirect, which clients do not follow.")
            default:
                (.note, "With a different trailing slash, as some clients send it, there is no document.")
            }
        }
    }

    private func forwardedHost(_ url: String) async -> [Finding] {
        let host = "portcullis-check.invalid"
        return await probe("probe.forwarded-host", url, .get, ["X-Forwarded-Host": host]) { response in
            guard response.status == .ok else { return nil }
            return response.body.containsSequence(host.utf8)
                ? (
                    .fail,
                    "The document contains X-Forwarded-Host, which any client can forge (RFC 9728 §7.3)."
                )
                : (.pass, "The document does not depend on X-Forwarded-Host.")
        }
    }
}
