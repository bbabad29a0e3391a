// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport

/// One introspection endpoint: its URL, the client authentication, and the parsing of its answers.
///
/// RFC 7662 §2.
struct IntrospectionEndpoint: Sendable {
    private let request: IntrospectionRequest
    private let access: ServerAccess
    /// The configured endpoint; `nil` to take it from the metadata.
    private let configured: String?
    private let usesCertificate: Bool
    private let metadata: Refresher<AuthorizationServerMetadata>?
    private let time: TimeSource
    /// `nil` if the answers are plain JSON.
    private let signed: SignedIntrospection?

    /// The timeout of one exchange.
    var timeout: Duration { access.timeout }

    init(
        _ settings: TrustedIssuer.Introspection, issuer: String, access: ServerAccess,
        metadata: Refresher<AuthorizationServerMetadata>?, keys: KeyStore?, time: TimeSource
    ) {
        self.time = time
        // Signed answers need keys; a configuration without them is rejected earlier.
        let verification = keys ?? KeyStore(fixed: JWKSet([]))
        signed = settings.signedResponseAudience.map {
            SignedIntrospection(issuer: issuer, audience: $0, keys: verification, time: time)
        }
        request = IntrospectionRequest(
            by: settings.authentication, issuer: issuer,
            accepting: signed == nil ? "application/json" : SignedIntrospection.mediaType)
        let access = settings.fetcher.map(access.through) ?? access
        self.access = access
        configured = settings.endpoint
        usesCertificate = settings.authentication.usesCertificate
        self.metadata = metadata
    }

    // MARK: Location

    /// The endpoint, or `nil` if the metadata has to be fetched first.
    private var knownLocation: String? {
        if let configured { return configured }
        let now = time.uptime()
        guard let metadata, let reading = metadata.publication.reading(at: now) else { return nil }
        metadata.refreshInBackground(at: now)
        return reading.value.introspectionURL(withCertificate: usesCertificate)
    }

    /// The algorithms for client assertions that the server lists, if its metadata is loaded.
    private var listedAlgorithms: [String]? {
        metadata?.publication.reading(at: time.uptime())?.value.introspectionSigningAlgorithms
    }

    private func location() async throws(AuthorizationServerFault) -> String {
        guard let metadata else { throw .missingMember("introspection_endpoint") }
        guard let reading = await metadata.reading() else {
            throw await metadata.lastFault ?? .missingMember("introspection_endpoint")
        }
        guard let place = reading.value.introspectionURL(withCertificate: usesCertificate) else {
            throw reading.value.lacking("introspection_endpoint")
        }
        return place
    }

    // MARK: Asking. RFC 7662 §2.1, §2.2.

    /// Calls the endpoint once, and passes on the outcome in time, on any thread, perhaps before returning.
    ///
    /// Needs no task with the package's own client, a known endpoint and unsigned answers.
    func ask(
        _ token: [UInt8], within bound: Duration,
        then finish: @escaping @Sendable (IntrospectionClient.Outcome) -> Void
    ) {
        // Signing an assertion would block the event loop for too long.
        if let url = knownLocation, !request.signs {
            return ask(token, at: url, within: bound, then: finish)
        }
        Task {
            let begun = time.uptime()
            do throws(AuthorizationServerFault) {
                let url: String
                if let known = knownLocation { url = known } else { url = try await location() }
                // Discovering the endpoint may have used up time.
                let bound = bound - (time.uptime() - begun)
                guard bound > .zero else { throw .noResponse(.timedOut) }
                ask(token, at: url, within: bound, then: finish)
            } catch {
                finish(.failure(error))
            }
        }
    }

    private func ask(
        _ token: [UInt8], at url: String, within bound: Duration,
        then finish: @escaping @Sendable (IntrospectionClient.Outcome) -> Void
    ) {
        let body: IntrospectionRequest.Body
        do throws(AuthorizationServerFault) {
            let listed = request.signs ? listedAlgorithms : nil
            body = try request.body(about: token, among: listed, at: time.now())
        } catch {
            return finish(.failure(error))
        }
        let form = ServerAccess.Body(byteCount: body.byteCount) { body.append(to: &$0) }
        access.send(
            .post, url, fields: request.fields, form, within: bound,
            passingOn: { $0 == .ok || $0 == .badRequest }
        ) { outcome in
            read(outcome) { finish($0.mapError { $0.whenCalling(url) }) }
        }
    }

    // MARK: Answers

    private func read(
        _ outcome: ServerAccess.Outcome,
        then finish: @escaping @Sendable (IntrospectionClient.Outcome) -> Void
    ) {
        switch outcome {
        case .failure(let fault): finish(.failure(meant(by: fault)))
        case .success(let response) where response.status == .badRequest:
            finish(
                Self.saysInvalidToken(response.body) ? .success(.inactive) : .failure(.status(400)))
        case .success(let response):
            guard let signed else {
                do {
                    return finish(.success(Self.answer(try ClaimsSet(payload: response.body).json)))
                } catch {
                    return finish(.failure(response.explain(.unparsable(response.body, error))))
                }
            }
            // RFC 9701 §5: if signed answers are required, an unsigned one is rejected.
            let type = response.contentType?.prefix { $0 != ";" && $0 != " " }
            guard let type, ASCII.equalIgnoringCase(String(type), SignedIntrospection.mediaType) else {
                return finish(.failure(.unsignedAnswer))
            }
            // Verifying a signature would block the event loop for too long, and its key may have to be
            // fetched.
            Task {
                do throws(AuthorizationServerFault) {
                    finish(.success(Self.answer(try await signed.read(response.body))))
                } catch {
                    finish(.failure(error))
                }
            }
        }
    }

    /// RFC 7662 §2.3: a 401 is about our own credentials, not about the client's token.
    ///
    /// An assertion with another audience or type is not tried: a server that got both could use them.
    private func meant(by fault: AuthorizationServerFault) -> AuthorizationServerFault {
        guard fault == .status(401) else { return fault }
        return request.signs ? .rejectedAssertion : .rejectedCredentials
    }

    /// RFC 7662 §2.2 has an inactive answer for an unknown token; some servers answer 400 with the error code
    /// of RFC 6750 §3.1 instead.
    private static func saysInvalidToken(_ body: [UInt8]) -> Bool {
        (try? ClaimsSet(payload: body))?.json.holds("invalid_token", for: "error") ?? false
    }

    /// RFC 7662 §2.2: only the boolean true is active; other members of an inactive token are ignored.
    private static func answer(_ object: JSONObject) -> IntrospectionClient.Answer {
        object["active"]?.bool == true ? .active(object) : .inactive
    }
}

extension AuthorizationServerMetadata {
    /// RFC 8705 §5: the mTLS alias, for clients with a certificate, takes precedence.
    fileprivate func introspectionURL(withCertificate usesCertificate: Bool) -> String? {
        (usesCertificate ? certificateIntrospectionEndpoint : nil) ?? introspectionEndpoint
    }
}
