// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE

/// The authorization endpoint: a consent page, and the code that it issues. RFC 6749 §4.1.1.
extension AuthorizationServerState {
    mutating func authorize(_ request: EndpointRequest, now: NumericDate) -> Answer {
        let isClick = request.method == "POST"
        guard let form = FormParameters(isClick ? request.body : request.query), !form.hasRepetition else {
            return .plain(.badRequest, "The request is malformed.\n")
        }
        // RFC 6749 §4.1.2.1: never redirect to a URI that the client has not registered.
        guard let id = form["client_id"], let client = clients[id] else {
            return .plain(.badRequest, "This client is not registered.\n")
        }
        guard let target = redirectTarget(form["redirect_uri"], of: client) else {
            return .plain(.badRequest, "This redirect URI is not registered.\n")
        }
        let reply = RedirectReply(uri: target, state: form["state"], issuer: issuer(at: .authorization))
        switch checkAuthorization(form, client) {
        case .failure(let problem):
            return reply.error(problem.code)
        case .success(let grant):
            guard isClick else {
                let page = ConsentPage(form: form, client: client, clientID: id, target: target, grant: grant)
                return .html(.ok, page.text, style: ConsentPage.style)
            }
            guard form["decision"] == "allow" else { return reply.error("access_denied") }
            let code = randomIdentifier()
            codes.insert(
                IssuedCode(
                    clientID: id, redirectURI: form["redirect_uri"], challenge: grant.challenge,
                    scopes: grant.scopes,
                    resources: grant.resources, expiresAt: now.adding(configuration.codeLifetime)),
                for: code)
            return reply.code(code)
        }
    }

    /// A valid authorization request.
    struct Grant {
        let challenge: String
        let scopes: [String]
        let resources: [String]
    }

    private func checkAuthorization(
        _ form: FormParameters, _ client: RegisteredClient
    ) -> Result<Grant, OAuthProblem> {
        guard client.grantTypes.contains("authorization_code") else { return .failure(.unauthorizedClient) }
        guard form["response_type"] == "code" else { return .failure(.unsupportedResponseType) }
        // RFC 7636 §4.4.1; the challenge of S256 is always 43 characters long.
        guard form["code_challenge_method"] == "S256", let challenge = form["code_challenge"],
            challenge.utf8.count == 43
        else { return .failure(.invalidRequest) }
        do throws(OAuthProblem) {
            return .success(
                Grant(
                    challenge: challenge, scopes: try grantedScopes(form),
                    resources: try requestedResources(form)))
        } catch {
            return .failure(error)
        }
    }

    private func redirectTarget(_ requested: String?, of client: RegisteredClient) -> String? {
        guard let requested else { return client.redirectURIs.count == 1 ? client.redirectURIs.first : nil }
        guard isRedirectURI(requested) else { return nil }
        return client.redirectURIs.contains { Self.matches($0, requested) } ? requested : nil
    }

    /// Compares exactly, except for the port of a loopback address, which native apps choose at run time.
    ///
    /// RFC 8252 §7.3.
    private static func matches(_ registered: String, _ requested: String) -> Bool {
        if registered.utf8.elementsEqual(requested.utf8) { return true }
        for origin in ["http://127.0.0.1", "http://[::1]", "http://localhost"] {
            guard let first = afterPort(registered, origin), let second = afterPort(requested, origin) else {
                continue
            }
            return first == second
        }
        return false
    }

    private static func afterPort(_ uri: String, _ origin: String) -> Substring? {
        guard uri.hasPrefix(origin) else { return nil }
        let rest = uri.dropFirst(origin.count)
        guard rest.first == ":" else { return rest.isEmpty || rest.first == "/" ? rest : nil }
        let tail = rest.dropFirst().drop { $0.isASCII && $0.isNumber }
        return tail.isEmpty || tail.first == "/" ? tail : nil
    }
}

/// The authorization response, a redirect to the client.
///
/// RFC 6749 §4.1.2, RFC 9207 §2.
private struct RedirectReply {
    let uri: String
    let state: String?
    let issuer: String

    func code(_ code: String) -> TestAuthorizationServer.Answer {
        redirect([("code", code)])
    }

    func error(_ code: String) -> TestAuthorizationServer.Answer {
        redirect([("error", code)])
    }

    private func redirect(_ parameters: [(String, String)]) -> TestAuthorizationServer.Answer {
        var parameters = parameters
        if let state { parameters.append(("state", state)) }
        parameters.append(("iss", issuer))
        let query = parameters.map { "\($0)=\(FormParameters.encode($1))" }.joined(separator: "&")
        return .redirect(to: uri + (uri.contains("?") ? "&" : "?") + query)
    }
}

/// The consent page; its user is always the same.
///
/// RFC 6749 §3.1.
private struct ConsentPage {
    let form: FormParameters
    let client: RegisteredClient
    let clientID: String
    let target: String
    let grant: AuthorizationServerState.Grant

    private static let carried = [
        "response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge",
        "code_challenge_method",
    ]

    static let style = """
        body { font: 1.125rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 10vh auto; padding: 0 1rem; }
        p { overflow-wrap: anywhere; } button { font: inherit; padding: .5rem 1.25rem; margin-right: .5rem; }
        """

    /// The client as the user can judge it: its name is its own claim, the host of its document is not.
    private var applicant: String {
        let name = client.name ?? "An application without a name"
        guard client.freshUntil != nil, let url = try? HTTPURL(clientID) else { return name }
        return "\(name), of \(url.host),"
    }

    var text: String {
        let fields =
            Self.carried.compactMap { name in form[name].map { (name, $0) } }
            + form.values(of: "resource").map { ("resource", $0) }
        let inputs = fields.map { "<input type=\"hidden\" name=\"\($0)\" value=\"\(escape($1))\">\n" }
            .joined()
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <meta name="color-scheme" content="light dark"><title>Allow access?</title>
            <style>\(Self.style)</style></head>
            <body>
            <h1>Allow access?</h1>
            <p>\(escape(applicant)) asks for: \
            \(escape(grant.scopes.isEmpty ? "no scope" : grant.scopes.joined(separator: " "))) \
            at \(escape(grant.resources.joined(separator: ", "))). \
            The answer goes to \(escape(target)).</p>
            <form method="post">
            \(inputs)<button name="decision" value="allow">Allow</button>
            <button name="decision" value="deny">Deny</button>
            </form>
            </body>
            </html>

            """
    }

    private func escape(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
