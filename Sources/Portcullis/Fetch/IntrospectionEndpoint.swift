// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// Where one authorization server is asked about tokens, as whom, and how its answers are read.
///
/// RFC 7662 §2.
struct IntrospectionEndpoint: Sendable {
    private let issuer: String
    private let authentication: ClientAuthentication
    private let access: ServerAccess
    private let location: @Sendable () async throws(AuthorizationServerFault) -> String
    private let time: TimeSource
    /// Nothing: the answers are plain JSON.
    private let signed: SignedIntrospection?

    /// The bound for one exchange.
    var timeout: Duration { access.timeout }

    init(
        _ settings: TrustedIssuer.Introspection, issuer: String, access: ServerAccess,
        metadata: Refresher<AuthorizationServerMetadata>?, keys: KeyStore?, time: TimeSource
    ) {
        self.issuer = issuer
        self.time = time
        // Without keys no signed answer would verify; such a configuration is refused.
        let verification = keys ?? KeyStore(fixed: JWKSet([]))
        signed = settings.signedResponseAudience.map {
            SignedIntrospection(issuer: issuer, audience: $0, keys: verification, time: time)
        }
        authentication = settings.authentication
        self.access = settings.fetcher.map(access.through) ?? access
        let configured = settings.endpoint
        let usesCertificate = settings.authentication.usesCertificate
        location = { () async throws(AuthorizationServerFault) in
            if let configured { return configured }
            guard let metadata else { throw .missingMember }
            guard let reading = await metadata.reading() else {
                throw await metadata.lastFault ?? .missingMember
            }
            // RFC 8705 §5: the place for clients that come with a certificate goes before the one for all.
            let special = usesCertificate ? reading.value.certificateIntrospectionEndpoint : nil
            guard let discovered = special ?? reading.value.introspectionEndpoint else {
                throw .missingMember
            }
            return discovered
        }
    }

    /// Asks once.
    ///
    /// RFC 7662 §2.1, §2.2.
    func ask(
        _ token: [UInt8], within bound: Duration
    ) async throws(AuthorizationServerFault) -> IntrospectionClient.Answer {
        let url = try await location()
        let request = try IntrospectionRequest(
            token, by: authentication, issuer: issuer,
            accepting: signed == nil ? "application/json" : SignedIntrospection.mediaType, at: time.now())
        let response: FetchResponse
        do throws(AuthorizationServerFault) {
            response = try await access.response(
                .post, url, fields: request.fields, sending: request.body, within: bound)
        } catch {
            // RFC 7662 §2.3: a 401 is about our own credentials, not about the client's token.
            if case .status(401) = error { throw .rejectedCredentials }
            throw error
        }
        let object = try await members(of: response)
        // RFC 7662 §2.2: only the boolean true is active, and of an inactive token nothing else is read.
        return object["active"]?.bool == true ? .active(object) : .inactive
    }

    private func members(of response: FetchResponse) async throws(AuthorizationServerFault) -> JSONObject {
        guard let signed else {
            guard let object = (try? JSONValue.parse(response.body))?.object else { throw .malformedDocument }
            return object
        }
        // RFC 9701 §5: where signed answers are demanded, nothing else counts, however well it reads.
        let type = response.fields[.contentType]?.prefix { $0 != ";" && $0 != " " }
        guard let type, ASCII.equalIgnoringCase(String(type), SignedIntrospection.mediaType) else {
            throw .unsignedAnswer
        }
        return try await signed.read(response.body)
    }
}
