// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// Client registration and client authentication.
extension AuthorizationServerState {
    private static let maxRedirectCount = 16

    mutating func register(clientID: String, secret: String?) {
        clients.insert(RegisteredClient(secret: secret), for: clientID)
    }

    /// RFC 7591 §3.
    mutating func register(_ request: EndpointRequest, now: NumericDate) -> Answer {
        guard let json = try? JSONValue.parse(request.body), let metadata = json.object else {
            return .error("invalid_client_metadata", "the body must be a JSON object")
        }
        let method = metadata["token_endpoint_auth_method"].map(\.string) ?? "client_secret_basic"
        let grants = metadata["grant_types"].map(\.strings) ?? ["authorization_code"]
        guard let method, ["client_secret_basic", "client_secret_post", "none"].contains(method) else {
            return .error("invalid_client_metadata", "token_endpoint_auth_method is not supported")
        }
        guard let grants, !grants.isEmpty else {
            return .error("invalid_client_metadata", "grant_types must be a list of grant types")
        }
        // RFC 7591 §2: the server may leave out what it does not support.
        let supported = grants.filter(RegisteredClient.supportedGrants.contains)
        guard RegisteredClient.canStart(supported, isPublic: method == "none") else {
            return .error("invalid_client_metadata", "grant_types has no grant that this client can use")
        }
        // OpenID Connect Dynamic Client Registration 1.0 §2.
        guard ["web", "native"].contains(metadata["application_type"].map(\.string) ?? "web") else {
            return .error("invalid_client_metadata", "application_type must be web or native")
        }
        let redirects = metadata["redirect_uris"].map(\.strings) ?? []
        guard let redirects, redirects.count <= Self.maxRedirectCount, redirects.allSatisfy(isRedirectURI),
            !redirects.isEmpty || !supported.contains("authorization_code")
        else { return .error("invalid_redirect_uri", "redirect_uris must be a list of absolute URIs") }
        let client = RegisteredClient(
            secret: method == "none" ? nil : randomIdentifier(), redirectURIs: redirects,
            grantTypes: supported,
            name: metadata["client_name"]?.string.map { String($0.prefix(100)) })
        return .created(client, method: method, metadata, insert(client), now: now)
    }

    private mutating func insert(_ client: RegisteredClient) -> String {
        let id = randomIdentifier()
        clients.insert(client, for: id)
        return id
    }

    /// Authenticates the client of a request.
    ///
    /// RFC 6749 §2.3, §3.2.1.
    func authenticate(_ request: EndpointRequest, _ form: FormParameters) -> (
        id: String, client: RegisteredClient
    )? {
        let id: String
        let secret: String?
        if let authorization = request.authorization {
            guard let credentials = Self.basicCredentials(authorization) else { return nil }
            // RFC 6749 §2.3: one authentication method per request.
            guard form["client_secret"] == nil, form["client_id"].map({ $0 == credentials.id }) ?? true else {
                return nil
            }
            (id, secret) = credentials
        } else {
            guard let formID = form["client_id"] else { return nil }
            (id, secret) = (formID, form["client_secret"])
        }
        guard let client = clients[id] else { return nil }
        switch (client.secret, secret) {
        case (nil, nil): return (id, client)
        case (let expected?, let given?) where ConstantTime.equals(Array(expected.utf8), Array(given.utf8)):
            return (id, client)
        default: return nil
        }
    }

    /// RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
    private static func basicCredentials(_ field: String) -> (id: String, secret: String?)? {
        guard field.prefix(6).lowercased() == "basic ", let bytes = Base64.decode(String(field.dropFirst(6))),
            let colon = bytes.firstIndex(of: 0x3A), let id = FormParameters.decode(bytes[..<colon]),
            let secret = FormParameters.decode(bytes[(colon + 1)...])
        else { return nil }
        return (id, secret)
    }
}

extension TestAuthorizationServer.Answer {
    /// RFC 7591 §3.2.1.
    fileprivate static func created(
        _ client: RegisteredClient, method: String, _ metadata: JSONObject, _ id: String, now: NumericDate
    ) -> Self {
        var object: JSONObject = [
            "client_id": .string(id),
            "client_id_issued_at": .number(JSONNumber(now.wholeSeconds ?? 0)),
            "token_endpoint_auth_method": .string(method),
            "grant_types": .strings(client.grantTypes),
        ]
        if let secret = client.secret {
            object["client_secret"] = .string(secret)
            object["client_secret_expires_at"] = 0
        }
        if !client.redirectURIs.isEmpty {
            object["redirect_uris"] = .strings(client.redirectURIs)
            object["response_types"] = ["code"]
        }
        if let name = client.name { object["client_name"] = .string(name) }
        for name in ["scope", "application_type"] {
            if let text = metadata[name]?.string { object[name] = .string(text) }
        }
        return .json(.created, object)
    }
}

/// Whether a URI is absolute, has no fragment, and cannot run script in a browser.
///
/// RFC 6749 §3.1.2.
func isRedirectURI(_ uri: String) -> Bool {
    let scheme = uri.prefix { $0 != ":" }
    guard let first = scheme.utf8.first, (0x61...0x7A).contains(CharacterClass.lowercase(first)),
        scheme.utf8.count < uri.utf8.count, uri.utf8.count <= 2_048,
        uri.utf8.allSatisfy(CharacterClass.isTargetCharacter)
    else { return false }
    return !["javascript", "data", "vbscript", "about", "file", "blob"].contains(scheme.lowercased())
}
