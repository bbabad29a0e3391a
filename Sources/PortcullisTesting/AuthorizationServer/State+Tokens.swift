// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// An OAuth error code, with its description.
///
/// RFC 6749 §5.2, RFC 8707 §2.
enum OAuthProblem: Error, Sendable {
    case invalidRequest, invalidGrant, unauthorizedClient, unsupportedGrantType, unsupportedResponseType
    case invalidScope, invalidTarget, invalidProof

    var code: String {
        switch self {
        case .invalidRequest: "invalid_request"
        case .invalidGrant: "invalid_grant"
        case .unauthorizedClient: "unauthorized_client"
        case .unsupportedGrantType: "unsupported_grant_type"
        case .unsupportedResponseType: "unsupported_response_type"
        case .invalidScope: "invalid_scope"
        case .invalidTarget: "invalid_target"
        case .invalidProof: "invalid_dpop_proof"
        }
    }

    var sentence: String {
        switch self {
        case .invalidRequest: "a parameter is missing, malformed or repeated"
        case .invalidGrant: "the code or refresh token is unknown, expired, used, or not this client's"
        case .unauthorizedClient: "the client is not registered for this grant"
        case .unsupportedGrantType:
            "only authorization_code, refresh_token and client_credentials are supported"
        case .unsupportedResponseType: "only code is supported"
        case .invalidScope: "a scope is unknown, or wider than what was granted"
        case .invalidTarget: "a resource is unknown, malformed, or wider than what was granted"
        case .invalidProof: "the DPoP proof is malformed, repeated, too old, or for another request or key"
        }
    }

    var answer: TestAuthorizationServer.Answer { .error(code, sentence) }
}

/// The token endpoint. RFC 6749 §3.2.
extension AuthorizationServerState {
    mutating func issueToken(_ request: EndpointRequest, now: NumericDate) -> Answer {
        guard let form = FormParameters(request.body), !form.hasRepetition else {
            return OAuthProblem.invalidRequest.answer
        }
        guard let (id, client) = authenticate(request, form) else { return .invalidClient }
        do throws(OAuthProblem) {
            guard let grant = form["grant_type"] else { throw .invalidRequest }
            let key = try TokenProof.thumbprint(of: request.proofs, for: paths.url(of: .token), now: now)
            switch grant {
            case "client_credentials":
                // RFC 6749 §4.4: only for clients that can keep a secret.
                guard client.secret != nil, client.grantTypes.contains(grant) else {
                    throw .unauthorizedClient
                }
                return try issue(
                    to: id, subject: id, scopes: try grantedScopes(form),
                    audience: try requestedResources(form), boundTo: key, now: now)
            case "authorization_code":
                guard client.grantTypes.contains(grant) else { throw .unauthorizedClient }
                return try redeem(form, clientID: id, client, boundTo: key, now: now)
            case "refresh_token":
                guard client.grantTypes.contains(grant) else { throw .unauthorizedClient }
                return try refresh(form, clientID: id, boundTo: key, now: now)
            default:
                throw .unsupportedGrantType
            }
        } catch {
            return error.answer
        }
    }

    /// RFC 6749 §4.1.3, RFC 7636 §4.6.
    private mutating func redeem(
        _ form: FormParameters, clientID: String, _ client: RegisteredClient, boundTo key: String?,
        now: NumericDate
    ) throws(OAuthProblem) -> Answer {
        guard let name = form["code"], let verifier = form["code_verifier"] else { throw .invalidRequest }
        guard var code = codes[name], code.clientID == clientID, code.expiresAt > now else {
            throw .invalidGrant
        }
        if code.isRedeemed {
            revokeTokens(of: name)
            throw .invalidGrant
        }
        let challenge = Digest.sha256(Array(verifier.utf8)).base64URL
        guard ConstantTime.equals(Array(challenge.utf8), Array(code.challenge.utf8)),
            form["redirect_uri"] == code.redirectURI
        else {
            codes.remove(name)
            throw .invalidGrant
        }
        var refresh: IssuedRefreshToken?
        if client.grantTypes.contains("refresh_token") {
            refresh = IssuedRefreshToken(
                clientID: clientID, scopes: code.scopes, resources: code.resources, consent: name,
                expiresAt: now.adding(configuration.refreshTokenLifetime))
            // RFC 9449 §5: a client that cannot authenticate needs the same key again.
            if client.secret == nil { refresh?.key = key }
        }
        let answer = try issue(
            to: clientID, subject: configuration.subject, scopes: code.scopes,
            audience: try narrowedResources(form, code.resources), consent: name, refreshing: refresh,
            boundTo: key, now: now)
        code.isRedeemed = true
        codes.insert(code, for: name)
        return answer
    }

    /// RFC 6749 §6; each refresh token is used once, RFC 9700 §4.14.2.
    private mutating func refresh(
        _ form: FormParameters, clientID: String, boundTo key: String?, now: NumericDate
    ) throws(OAuthProblem) -> Answer {
        guard let name = form["refresh_token"] else { throw .invalidRequest }
        guard var token = refreshTokens[name], token.clientID == clientID, token.expiresAt > now else {
            throw .invalidGrant
        }
        if token.isUsed {
            revokeTokens(of: token.consent)
            throw .invalidGrant
        }
        guard token.key == nil || token.key == key else { throw .invalidProof }
        let scopes = form.scopes ?? token.scopes
        guard scopes.allSatisfy(token.scopes.contains) else { throw .invalidScope }
        // The new refresh token keeps the scopes of the consent, whatever this access token gets.
        let answer = try issue(
            to: clientID, subject: configuration.subject, scopes: scopes,
            audience: try narrowedResources(form, token.resources), consent: token.consent,
            refreshing: token, boundTo: key, now: now)
        token.isUsed = true
        refreshTokens.insert(token, for: name)
        return answer
    }

    /// The requested resources, a subset of the granted ones, or all of these.
    ///
    /// RFC 8707 §2.2.
    private func narrowedResources(
        _ form: FormParameters, _ granted: [String]
    ) throws(OAuthProblem) -> [String] {
        let requested = form.values(of: "resource")
        guard requested.allSatisfy(granted.contains) else { throw .invalidTarget }
        return requested.isEmpty ? granted : requested
    }

    /// - Parameters:
    ///   - consent: The code of the user's consent.
    ///   - refresh: The new refresh token; `nil` for none.
    ///   - key: The thumbprint of the key that the token is bound to; `nil` for a bearer token.
    private mutating func issue(
        to clientID: String, subject: String, scopes: [String], audience: [String], consent: String? = nil,
        refreshing refresh: IssuedRefreshToken? = nil, boundTo key: String?, now: NumericDate
    ) throws(OAuthProblem) -> Answer {
        var request = TestAuthorizationServer.TokenRequest(audience: audience, scopes: scopes)
        request.clientID = clientID
        // RFC 8705 §3.1. A key that the client proves takes the place of its certificate.
        if let certificateThumbprint {
            request.claims["cnf"] = .object(["x5t#S256": .string(certificateThumbprint)])
        }
        request.subject = subject
        request.lifetime = configuration.tokenLifetime
        // RFC 9449 §6.1.
        if let key { request.claims["cnf"] = .object(["jkt": .string(key)]) }
        guard let token = try? makeToken(request, consent: consent, now: now) else { throw .invalidRequest }
        var body: JSONObject = [
            "access_token": .string(token), "token_type": key == nil ? "Bearer" : "DPoP",
            "expires_in": .number(JSONNumber(Int(clamping: configuration.tokenLifetime.components.seconds))),
        ]
        if !scopes.isEmpty { body["scope"] = .string(scopes.joined(separator: " ")) }
        if let refresh {
            let name = randomIdentifier()
            refreshTokens.removeAll { $0.expiresAt <= now }
            refreshTokens.insert(refresh, for: name)
            body["refresh_token"] = .string(name)
        }
        return .json(.ok, body)
    }

    /// RFC 9068 §2.2.
    mutating func makeToken(
        _ request: TestAuthorizationServer.TokenRequest, consent: String? = nil, now: NumericDate
    ) throws(JOSEError) -> String {
        let issuedAt = now.wholeSeconds ?? 0
        let expiresAt = now.adding(request.lifetime)
        var claims: JSONObject = [
            "iss": .string(issuer(at: .token)),
            "aud": request.audience.count == 1 ? .string(request.audience[0]) : .strings(request.audience),
            "client_id": .string(request.clientID), "iat": .number(JSONNumber(issuedAt)),
            "exp": .number(JSONNumber(expiresAt.wholeSeconds ?? 0)), "jti": .string(randomIdentifier()),
        ]
        if let subject = request.subject { claims["sub"] = .string(subject) }
        if !request.scopes.isEmpty { claims["scope"] = .string(request.scopes.joined(separator: " ")) }
        for member in request.claims.members { claims[member.name] = member.value }
        for name in request.omittedClaims { claims[name] = nil }
        let token =
            switch configuration.tokenFormat {
            case .jwt: try keys.sign(claims, type: request.type)
            case .opaque: randomIdentifier()
            }
        tokens.removeAll { $0.expiresAt <= now }
        tokens.insert(IssuedToken(claims: claims, expiresAt: expiresAt, consent: consent), for: token)
        return token
    }

    /// RFC 6749 §3.3: a client that requests no scope gets all scopes.
    func grantedScopes(_ form: FormParameters) throws(OAuthProblem) -> [String] {
        guard let scopes = form.scopes else { return configuration.scopes }
        guard scopes.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(CharacterClass.isScopeCharacter) }),
            configuration.scopes.isEmpty || scopes.allSatisfy(configuration.scopes.contains)
        else { throw .invalidScope }
        return scopes
    }

    /// The audience of a token: the requested resources, or the first configured one, or the issuer.
    ///
    /// RFC 8707 §2.
    func requestedResources(_ form: FormParameters) throws(OAuthProblem) -> [String] {
        let requested = form.values(of: "resource")
        guard !requested.isEmpty else { return [configuration.resources.first ?? configuration.issuer] }
        guard requested.allSatisfy({ isRedirectURI($0) && isKnownResource($0) }) else { throw .invalidTarget }
        return requested
    }

    /// Accepts an identifier with and without a final slash, which URL libraries add and remove.
    private func isKnownResource(_ resource: String) -> Bool {
        let known = configuration.resources
        return known.isEmpty
            || known.contains {
                $0.utf8.elementsEqual(resource.utf8) || $0 + "/" == resource || resource + "/" == $0
            }
    }
}
