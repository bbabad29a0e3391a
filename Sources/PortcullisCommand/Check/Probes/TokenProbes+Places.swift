// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP

extension TokenProbes {
    /// The good token in the query and in a form.
    ///
    /// RFC 6750 §2.2, §2.3, RFC 9728 §2.
    func otherPlaces(_ good: Good) async -> [Finding] {
        let allowed = metadata?.bearerMethodsSupported ?? []
        var findings: [Finding] = []
        let separator = url.utf8.contains(0x3F) ? "&" : "?"
        let query = await send(
            "\(url)\(separator)access_token=\(tokens.token)", good.form.method, good.form.fields,
            good.form.body)
        findings.append(
            judge(query, "token.query", "in the query", isAllowed: allowed.contains(.query), good))
        let form: Fields = [
            .accept: "application/json", .contentType: "application/x-www-form-urlencoded",
        ]
        let body = await send(url, .post, form, Array("access_token=\(tokens.token)".utf8))
        findings.append(judge(body, "token.form", "in a form", isAllowed: allowed.contains(.body), good))
        return findings
    }

    private func send(
        _ url: String, _ method: Method, _ fields: Fields, _ body: [UInt8]
    ) async -> FetchResponse? {
        try? await check.fetcher.fetch(
            FetchRequest(
                url: url, method: method, fields: fields, body: body, timeout: check.timeout,
                maxResponseByteCount: 1_048_576))
    }

    private func judge(
        _ response: FetchResponse?, _ code: String, _ place: String, isAllowed: Bool, _ good: Good
    ) -> Finding {
        guard let response, isAccepted(response, good) else {
            return Finding(.pass, code, "A token \(place) gives no access.")
        }
        if isAllowed {
            return Finding(.pass, code, "A token \(place) gives access, as bearer_methods_supported says.")
        }
        return Finding(
            .fail, code, "A token \(place) gives access, which the document does not say.",
            exchange: Exchange(sent: "\(url) with the token \(place)", received: "\(response.status.code)"))
    }

    /// The good token twice, and with the scheme in lower case.
    ///
    /// RFC 9110 §5.3, §11.1.
    func spellings(_ good: Good) async -> [Finding] {
        var findings: [Finding] = []
        let value = "Bearer \(tokens.token)"
        let twice = await call(good.form, [(.authorization, value), (.authorization, value)])
        if case .success(let response) = twice, isAccepted(response, good) {
            findings.append(
                Finding(
                    .warn, "token.repeated", "Two Authorization fields give access.",
                    exchange: exchange(good.form, twice)))
        } else {
            findings.append(Finding(.pass, "token.repeated", "Two Authorization fields are refused."))
        }
        let lower = await call(good.form, [(.authorization, "bearer \(tokens.token)")])
        if case .success(let response) = lower, isAccepted(response, good) {
            findings.append(Finding(.pass, "token.scheme", "The scheme may be in lower case."))
        } else {
            findings.append(
                Finding(
                    .warn, "token.scheme", "The scheme bearer in lower case is refused.",
                    exchange: exchange(good.form, lower)))
        }
        return findings
    }

    /// A call without a token after one with it: in the same session and on the same connection.
    func withoutToken(_ good: Good) async -> [Finding] {
        var fields: [(FieldName, String)] = []
        if case .success(let begun) = await bearer(.mcpSession, tokens.token),
            let session = begun.fields["Mcp-Session-Id"]
        {
            fields.append(("Mcp-Session-Id", session))
        }
        _ = await bearer(good.form, tokens.token)
        let result = await call(good.form, fields)
        guard case .success(let response) = result, isAccepted(response, good) else {
            return [Finding(.pass, "token.session", CheckRule.named("token.session").title)]
        }
        let place = fields.isEmpty ? "on the same connection" : "in the same session"
        return [
            Finding(
                .fail, "token.session", "After a call with a token, one without it \(place) gives access.",
                exchange: Exchange(good.form.method, url, response))
        ]
    }
}
