// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisDiscovery
import PortcullisHTTP
import PortcullisJOSE

/// Calls a resource with the user's tokens, and with changed ones that it must refuse.
///
/// The tokens go to the checked URL only. The calls are made one after another, so that what a server keeps
/// of one call can show in the next.
struct TokenProbes {
    let check: ResourceCheck
    let tokens: CheckTokens
    let url: String
    /// What the metadata say about the resource.
    let metadata: ProtectedResourceMetadata?
    /// The keys that the authorization servers publish.
    let keys: [JSONObject]
    /// The response to a call without a token.
    let answer: FetchResponse

    /// How the resource is called, and its answer to the good token.
    struct Good {
        let form: CallForm
        let response: FetchResponse
    }

    /// The findings of all probes that the tokens permit.
    ///
    /// - Parameter form: How the resource is called.
    func findings(_ form: CallForm) async -> [Finding] {
        guard !(200..<300).contains(answer.status.code) else {
            return [
                Finding(
                    .fail, "token.accepted",
                    "The URL is answered \(answer.status.code) without a token, so tokens cannot be judged there."
                )
            ]
        }
        let changed = ChangedTokens(tokens.token)
        if changed?.isBound == true { return await boundToken(form) }
        let (good, finding) = await goodToken(form)
        guard let good else { return [finding] }
        var findings =
            [finding] + issuer(changed) + times(changed) + [caching(good.response)].compactMap { $0 }
        findings += await changedTokens(changed, good)
        findings += await givenTokens(good)
        findings += await otherPlaces(good)
        findings += await spellings(good)
        if good.form.isMCP {
            findings += await check.mcpProbes(url, answer, credentials: "Bearer \(tokens.token)")
            findings += await withoutToken(good)
        }
        return findings
    }

    // MARK: Calls

    /// Calls the resource with these fields after the form's.
    func call(_ form: CallForm, _ fields: [(FieldName, String)]) async -> Result<FetchResponse, FetchError> {
        var all = form.fields
        for (name, value) in fields where Fields.isValid(value) { all.append(value, for: name) }
        do throws(FetchError) {
            return .success(
                try await check.fetcher.fetch(
                    FetchRequest(
                        url: url, method: form.method, fields: all, body: form.body, timeout: check.timeout,
                        maxResponseByteCount: 1_048_576)))
        } catch {
            return .failure(error)
        }
    }

    func bearer(_ form: CallForm, _ token: String) async -> Result<FetchResponse, FetchError> {
        await call(form, [(.authorization, "Bearer \(token)")])
    }

    /// Whether a response gives access: a success, or the answer that the good token gets.
    func isAccepted(_ response: FetchResponse, _ good: Good) -> Bool {
        (200..<300).contains(response.status.code) || response.status == good.response.status
    }

    /// The exchange of a call with a token, of which only the scheme is shown.
    func exchange(_ form: CallForm, _ result: Result<FetchResponse, FetchError>) -> Exchange {
        let fields: Fields = [.authorization: "Bearer ..."]
        switch result {
        case .success(let response): return Exchange(form.method, url, with: fields, response)
        case .failure(let error): return Exchange(form.method, url, with: fields, error)
        }
    }

    // MARK: The good token

    /// Calls with the token as it is.
    ///
    /// An MCP server that refuses GET is called by POST, and by the revision before the last one if it does
    /// not know that.
    private func goodToken(_ form: CallForm) async -> (Good?, Finding) {
        var last: Result<FetchResponse, FetchError> = .failure(.unreachable)
        var forms = form == .mcp ? [.mcp, .mcpSession] : [form]
        while let form = forms.first {
            forms.removeFirst()
            last = await bearer(form, tokens.token)
            guard case .success(let response) = last else { continue }
            // An MCP server with a gate in front tells only now that it takes no GET.
            if form == .get, [405, 406].contains(response.status.code) { forms += [.mcp, .mcpSession] }
            let challenge = Self.challenge(of: response)
            let isNarrow =
                response.status == .forbidden && challenge.error == "insufficient_scope"
                && challenge.scope != nil
            guard (200..<300).contains(response.status.code) || isNarrow else { continue }
            let text =
                isNarrow
                ? "The token is good, and lacks a scope that the 403 names."
                : "The token is answered \(response.status.code)."
            return (Good(form: form, response: response), Finding(.pass, "token.accepted", text))
        }
        let status = (try? last.get()).map { "answered \($0.status.code)" } ?? "not answered"
        return (
            nil,
            Finding(
                .fail, "token.accepted",
                "The token is \(status), so the other probes with tokens are left out.",
                exchange: exchange(form, last))
        )
    }

    /// The error and the scope of a challenge.
    static func challenge(of response: FetchResponse) -> (error: String?, scope: String?) {
        let lines = response.fields.values(of: .wwwAuthenticate)
        let challenges = (try? ReceivedChallenge.list(in: lines)) ?? []
        return (challenges.compactMap { $0["error"] }.first, challenges.compactMap { $0["scope"] }.first)
    }

    /// Whether the document lists the token's issuer.
    private func issuer(_ changed: ChangedTokens?) -> [Finding] {
        guard let issuer = changed?.claims["iss"]?.string, let listed = metadata?.authorizationServers,
            !listed.isEmpty, !listed.contains(where: { $0.utf8.elementsEqual(issuer.utf8) })
        else { return [] }
        let isOldEntra = (try? HTTPURL(issuer))?.host == "sts.windows.net"
        let hint =
            isOldEntra && listed.contains { EntraRule.applies(to: $0) }
            ? " It is a v1 token of Entra ID: set accessTokenAcceptedVersion to 2 in the API's manifest." : ""
        return [
            Finding(
                .warn, "token.issuer",
                "The document does not list the token's issuer \(Exchange.shown(issuer)).\(hint)",
                about: issuer)
        ]
    }

    /// Whether the accepted token is valid at this time.
    ///
    /// RFC 7519 §4.1.4, §4.1.5.
    private func times(_ changed: ChangedTokens?) -> [Finding] {
        let now = check.time.now().seconds
        var findings: [Finding] = []
        if let start = changed?.claims["nbf"]?.number?.double, start > now + Self.leeway {
            findings.append(
                Finding(.fail, "token.not-before", "The resource accepts a token before its nbf."))
        }
        if let end = changed?.claims["exp"]?.number?.double, end < now - Self.leeway {
            findings.append(Finding(.fail, "token.expired", "The resource accepts the token after its exp."))
        }
        return findings
    }

    /// The difference of two clocks that a resource may tolerate, in seconds.
    private static let leeway = 120.0

    /// RFC 9111 §3.5.
    private func caching(_ response: FetchResponse) -> Finding? {
        let directives = ASCII.lowercased(response.fields.values(of: .cacheControl).joined(separator: ","))
        guard !directives.contains("no-store"), !directives.contains("private") else {
            return Finding(.pass, "token.cache", "The answer to the good token is private.")
        }
        return Finding(
            .note, "token.cache", "The answer to the good token has neither private nor no-store.",
            exchange: Exchange(.get, url, response))
    }
}
