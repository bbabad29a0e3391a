// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisCommand
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Synchronization

/// A fault of a resource that the probes with tokens exist for.
enum GuardFault: Sendable, CaseIterable {
    case signatureNotChecked, noneAccepted, publicKeyAsSecret, ownKeyTrusted, audienceNotChecked,
        notBeforeIgnored, expiredFromCache, identityTokenAccepted, tokenInQuery, tokenInForm, bindingIgnored,
        repeatedFieldTaken, schemeCaseSensitive, failsOnAwkwardTokens, scopeRefusedWithUnauthorized,
        sessionWithoutToken, echoesTokens, answersAreShared
}

/// A deployment whose resource verifies tokens by its own few lines, with one fault at a time.
struct GuardedWorld {
    let world = Deployment()
    let issuer = TestIssuer(Deployment.issuer, algorithm: .es256)
    private let script: ScriptedFetcher.Script

    init(_ faults: Set<GuardFault> = [], isMCP: Bool = false, omitting: [String] = []) {
        world.serveIssuer(omitting: omitting)
        world.network.on("\(Deployment.issuer)/keys", json: .object(issuer.keys.publicJSON))
        let server = CarelessServer(key: issuer.keys.keys[0], faults: faults, isMCP: isMCP)
        script = { request in server.answer(request) }
        world.network.on(Deployment.resource, script)
        world.network.on("\(Deployment.resource)?access_token=portcullis-check.not-a-token", script)
    }

    func token(
        _ claims: JSONObject = [:], audience: String = Deployment.resource, scope: String = "mcp:read",
        lifetime: Duration = .seconds(3600), boundTo client: TestDPoPClient? = nil, header: JSONObject = [:]
    ) -> String {
        issuer.mint(
            audience: audience, scope: scope, boundTo: client, lifetime: lifetime, claims: claims,
            header: header)
    }

    func report(_ tokens: CheckTokens, isMCP: Bool = false) async -> CheckReport {
        world.network.on("\(Deployment.resource)?access_token=\(tokens.token)", script)
        return await ResourceCheck(
            fetcher: world.network, allowsLoopback: false, isMCP: isMCP, tokens: tokens
        ).report(on: Deployment.resource)
    }
}

/// The resource server of ``GuardedWorld``.
private final class CarelessServer: Sendable {
    private let key: JWK
    private let faults: Set<GuardFault>
    private let isMCP: Bool
    private let hasSession = Mutex(false)

    init(key: JWK, faults: Set<GuardFault>, isMCP: Bool) {
        self.key = key
        self.faults = faults
        self.isMCP = isMCP
    }

    private enum Verdict {
        case good, bad, narrow, broken
    }

    func answer(_ request: FetchRequest) -> FetchResponse {
        if request.method == .options {
            return FetchResponse(
                status: .noContent,
                fields: [
                    "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "Authorization",
                ])
        }
        if isMCP { return mcpAnswer(request) }
        return answer(to: credentials(of: request)) {
            var fields: Fields = [.contentType: "application/json"]
            if !faults.contains(.answersAreShared) { fields[.cacheControl] = "no-store" }
            return FetchResponse(status: .ok, fields: fields, body: Array("{}".utf8))
        }
    }

    private func mcpAnswer(_ request: FetchRequest) -> FetchResponse {
        if faults.contains(.sessionWithoutToken), request.fields.contains("Mcp-Session-Id") {
            return MCPWorld.answer(MCPWorld.result)
        }
        var granted = false
        let response = answer(to: credentials(of: request)) {
            granted = true
            return FetchResponse(status: .ok)
        }
        guard granted else { return response }
        if faults.contains(.sessionWithoutToken),
            String(decoding: request.body, as: UTF8.self).contains("initialize")
        {
            return MCPWorld.answer(MCPWorld.result, ["Mcp-Session-Id": "5f0c1a9e2b7d4e8f9a6b3c5d7e9f1a2b"])
        }
        return MCPWorld.respond(request, isOpen: true)
    }

    private enum Credentials {
        case none, refused
        case bearer(String)
        case proved(String)
    }

    private func credentials(of request: FetchRequest) -> Credentials {
        let values = request.fields.values(of: .authorization)
        if values.count > 1, !faults.contains(.repeatedFieldTaken) { return .refused }
        if let value = values.first {
            let parts = value.split(separator: " ")
            guard parts.count == 2 else { return .refused }
            let scheme = String(parts[0])
            if scheme == "DPoP" { return .proved(String(parts[1])) }
            let isBearer =
                faults.contains(.schemeCaseSensitive) ? scheme == "Bearer" : scheme.lowercased() == "bearer"
            return isBearer ? .bearer(String(parts[1])) : .refused
        }
        if faults.contains(.tokenInQuery), let token = request.url.split(separator: "=").last,
            request.url.contains("?access_token=")
        {
            return .bearer(String(token))
        }
        let body = String(decoding: request.body, as: UTF8.self)
        if faults.contains(.tokenInForm), body.hasPrefix("access_token=") {
            return .bearer(String(body.dropFirst("access_token=".count)))
        }
        return .none
    }

    private func answer(to credentials: Credentials, _ good: () -> FetchResponse) -> FetchResponse {
        let token: String
        let isProved: Bool
        switch credentials {
        case .none: return refusal(.unauthorized, "")
        case .refused: return refusal(.badRequest, ", error=\"invalid_request\"")
        case .bearer(let sent): (token, isProved) = (sent, false)
        case .proved(let sent): (token, isProved) = (sent, true)
        }
        let echo = faults.contains(.echoesTokens) ? ", error_description=\"bad token \(token)\"" : ""
        switch verdict(on: token, isProved: isProved) {
        case .good: return good()
        case .bad: return refusal(.unauthorized, ", error=\"invalid_token\"" + echo)
        case .broken: return FetchResponse(status: .internalServerError)
        case .narrow:
            return faults.contains(.scopeRefusedWithUnauthorized)
                ? refusal(.unauthorized, ", error=\"invalid_token\"")
                : refusal(.forbidden, ", error=\"insufficient_scope\"")
        }
    }

    private func refusal(_ status: Status, _ more: String) -> FetchResponse {
        FetchResponse(
            status: status,
            fields: [
                .wwwAuthenticate: Deployment.challenge + more, .cacheControl: "no-store",
                "Strict-Transport-Security": "max-age=1", "Access-Control-Allow-Origin": "*",
                "Access-Control-Expose-Headers": "WWW-Authenticate",
            ])
    }

    private func verdict(on token: String, isProved: Bool) -> Verdict {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let header = object(parts[0]), let claims = object(parts[1]) else {
            // A header that is nested too deeply lands here.
            return faults.contains(.failsOnAwkwardTokens) && token.utf8.count > 400 ? .broken : .bad
        }
        guard isSigned(token, parts, header) else { return .bad }
        let now = TimeSource.system.now().seconds
        if (claims["exp"]?.number?.double ?? 0) < now, !faults.contains(.expiredFromCache) { return .bad }
        if (claims["nbf"]?.number?.double ?? 0) > now, !faults.contains(.notBeforeIgnored) { return .bad }
        if claims["aud"]?.string != Deployment.resource, !faults.contains(.audienceNotChecked) { return .bad }
        if header["typ"] != "at+jwt", !faults.contains(.identityTokenAccepted) { return .bad }
        if claims["cnf"] != nil, !faults.contains(.bindingIgnored) { return .bad }
        if isProved, claims["cnf"] == nil { return .bad }
        return claims["scope"]?.string?.contains("mcp:read") == true ? .good : .narrow
    }

    private func isSigned(_ token: String, _ parts: [String], _ header: JSONObject) -> Bool {
        if faults.contains(.signatureNotChecked) { return true }
        let algorithm = header["alg"]?.string ?? ""
        if faults.contains(.noneAccepted), algorithm.lowercased() == "none" { return true }
        if faults.contains(.publicKeyAsSecret), algorithm == "HS256" {
            let secret = SealingKey(key.publicJSON.serialized())
            let code = secret?.seal(Array("\(parts[0]).\(parts[1])".utf8))
            if code.map(Base64URL.encode) == parts[2] { return true }
        }
        var key = key
        if faults.contains(.ownKeyTrusted), let own = header["jwk"]?.object, let given = try? JWK(own) {
            key = given
        }
        guard let signed = try? CompactJWS(Array(token.utf8)),
            (try? signed.verify(with: key, algorithm: .es256)) != nil
        else { return false }
        return true
    }

    private func object(_ part: String) -> JSONObject? {
        Base64URL.decode(part).flatMap { (try? JSONValue.parse($0))?.object }
    }
}
