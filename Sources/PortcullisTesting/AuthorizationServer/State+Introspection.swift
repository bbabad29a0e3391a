// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// The introspection and revocation endpoints.
extension AuthorizationServerState {
    /// RFC 7662 §2.
    ///
    /// Any client with a secret may introspect tokens.
    func introspect(_ request: EndpointRequest, now: NumericDate) -> Answer {
        guard let form = FormParameters(request.body), !form.hasRepetition else {
            return OAuthProblem.invalidRequest.answer
        }
        guard let (_, client) = authenticate(request, form), client.secret != nil else {
            return .invalidClient
        }
        guard let name = form["token"] else { return OAuthProblem.invalidRequest.answer }
        // RFC 7662 §2.2: the answer about an inactive token contains nothing else.
        guard let token = tokens[name], token.expiresAt > now else { return .json(.ok, ["active": false]) }
        let isBound = token.claims["cnf"]?.object?["jkt"] != nil
        var answer: JSONObject = ["active": true, "token_type": isBound ? "DPoP" : "Bearer"]
        for member in token.claims.members { answer[member.name] = member.value }
        if faults[.introspection] == .wrongIssuer { answer["iss"] = .string(issuer(at: .introspection)) }
        return .json(.ok, answer)
    }

    /// RFC 7009 §2.
    ///
    /// An unknown token, or another client's, gets the same answer as a revoked one.
    mutating func revoke(_ request: EndpointRequest) -> Answer {
        guard let form = FormParameters(request.body), !form.hasRepetition else {
            return OAuthProblem.invalidRequest.answer
        }
        guard let (id, _) = authenticate(request, form) else { return .invalidClient }
        guard let name = form["token"] else { return OAuthProblem.invalidRequest.answer }
        if tokens[name]?.claims["client_id"]?.string == id { tokens.remove(name) }
        // RFC 7009 §2.1: with a refresh token, the access tokens of the same grant end too.
        if let refresh = refreshTokens[name], refresh.clientID == id { revokeTokens(of: refresh.consent) }
        return Answer(status: .ok, fields: [.cacheControl: "no-store"])
    }

    mutating func revoke(_ token: String) {
        tokens.remove(token)
    }

    /// Revokes all tokens of one consent.
    mutating func revokeTokens(of consent: String) {
        tokens.removeAll { $0.consent == consent }
        refreshTokens.removeAll { $0.consent == consent }
    }
}
