// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE

/// A client ID metadata document: a client that is named by the URL of its own description.
///
/// draft-ietf-oauth-client-id-metadata-document-00 §3, §4.
enum ClientDocument {
    /// The maximum length of a document, in bytes.
    static let maxByteCount = 5_120
    /// How long a document is used.
    static let lifetime = Duration.seconds(300)
    private static let timeout = Duration.seconds(5)
    private static let maxRedirectCount = 16

    /// Whether a client identifier is the URL of a document: `https`, with a path, without dot segments, user
    /// and fragment.
    ///
    /// Draft §3.
    static func isURL(_ clientID: String) -> Bool {
        guard clientID.utf8.count <= 2_048, let url = try? HTTPURL(clientID), url.isSecure, !url.hasFragment,
            url.path.utf8.count > 1
        else { return false }
        return !url.path.utf8.split(separator: 0x2F).contains {
            $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8)
        }
    }

    /// The client that a document describes; `nil` if there is no document, or it describes none.
    ///
    /// Failures are not remembered, draft §4.4.
    static func fetch(
        _ url: String, with fetcher: any Fetcher, now: @Sendable () -> NumericDate
    ) async -> RegisteredClient? {
        let request = FetchRequest(
            url: url, fields: [.accept: "application/json"], timeout: timeout,
            maxResponseByteCount: maxByteCount)
        guard let response = try? await fetcher.fetch(request), response.status == .ok,
            isJSON(response.fields[.contentType])
        else { return nil }
        return client(from: response.body, at: url, now: now())
    }

    private static func isJSON(_ contentType: String?) -> Bool {
        let type = contentType?.prefix { $0 != ";" && $0 != " " }.lowercased()
        return type == "application/json" || type?.hasSuffix("+json") ?? false
    }

    /// Draft §4.1: the document names its own URL, and no secret that the server would share with it.
    static func client(from body: [UInt8], at url: String, now: NumericDate) -> RegisteredClient? {
        guard let json = try? JSONValue.parse(body), let document = json.object,
            let id = document["client_id"]?.string, id.utf8.elementsEqual(url.utf8),
            document["client_secret"] == nil, document["client_secret_expires_at"] == nil,
            document["token_endpoint_auth_method"].map({ $0.string == "none" }) ?? true,
            let redirects = document["redirect_uris"]?.strings,
            (1...maxRedirectCount).contains(redirects.count),
            redirects.allSatisfy(isRedirectURI)
        else { return nil }
        let grants = document["grant_types"].map(\.strings) ?? ["authorization_code"]
        guard let supported = grants?.filter(RegisteredClient.supportedGrants.contains),
            RegisteredClient.canStart(supported, isPublic: true)
        else { return nil }
        return RegisteredClient(
            secret: nil, redirectURIs: redirects, grantTypes: supported,
            name: document["client_name"]?.string.map { String($0.prefix(100)) },
            freshUntil: now.adding(lifetime))
    }
}

extension RegisteredClient {
    /// The grants of the token endpoint.
    static let supportedGrants = ["authorization_code", "refresh_token", "client_credentials"]

    /// Whether a client with these grants can get a first token.
    ///
    /// RFC 6749 §4.4: the client's own credentials are for clients that can keep a secret.
    static func canStart(_ grants: [String], isPublic: Bool) -> Bool {
        grants.contains("authorization_code") || !isPublic && grants.contains("client_credentials")
    }
}

extension EndpointRequest {
    /// The URL of the document that describes the client, where a request names one.
    func clientDocumentURL(at paths: EndpointPaths) -> String? {
        switch paths.endpoint(at: path) {
        case .authorization, .token, .revocation: break
        default: return nil
        }
        guard let form = FormParameters(method == "POST" ? body : query), let id = form["client_id"],
            ClientDocument.isURL(id)
        else { return nil }
        return id
    }
}
