// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport

/// Where one authorization server is asked about tokens, as whom, and how its answers are read.
///
/// RFC 7662 §2.
struct IntrospectionEndpoint: Sendable {
    private let request: IntrospectionRequest
    private let access: ServerAccess
    private let location: @Sendable () async throws(AuthorizationServerFault) -> String
    /// The place, if it is known without waiting.
    private let locationAtHand: @Sendable () -> String?
    /// How to ask without a task; nothing where the fetcher is not our own, or where a question has to be signed or an answer verified,
    /// which would hold the loop.
    private let shortcut: DirectAccess?
    private let time: TimeSource
    /// Nothing: the answers are plain JSON.
    private let signed: SignedIntrospection?

    /// The bound for one exchange.
    var timeout: Duration { access.timeout }

    init(
        _ settings: TrustedIssuer.Introspection, issuer: String, access: ServerAccess,
        metadata: Refresher<AuthorizationServerMetadata>?, keys: KeyStore?, time: TimeSource
    ) {
        self.time = time
        // Without keys no signed answer would verify; such a configuration is refused.
        let verification = keys ?? KeyStore(fixed: JWKSet([]))
        signed = settings.signedResponseAudience.map {
            SignedIntrospection(issuer: issuer, audience: $0, keys: verification, time: time)
        }
        request = IntrospectionRequest(
            by: settings.authentication, issuer: issuer,
            accepting: signed == nil ? "application/json" : SignedIntrospection.mediaType)
        let access = settings.fetcher.map(access.through) ?? access
        self.access = access
        shortcut = signed == nil && !settings.authentication.signs ? DirectAccess(access) : nil
        let configured = settings.endpoint
        let usesCertificate = settings.authentication.usesCertificate
        location = { () async throws(AuthorizationServerFault) in
            if let configured { return configured }
            guard let metadata else { throw .missingMember }
            guard let reading = await metadata.reading() else {
                throw await metadata.lastFault ?? .missingMember
            }
            guard let place = reading.value.introspectionPlace(withCertificate: usesCertificate) else {
                throw .missingMember
            }
            return place
        }
        locationAtHand = {
            if let configured { return configured }
            let now = time.uptime()
            guard let metadata, let reading = metadata.publication.reading(at: now) else { return nil }
            metadata.refreshInBackground(at: now)
            return reading.value.introspectionPlace(withCertificate: usesCertificate)
        }
    }

    /// Asks once, and has a closure told what came of it: within the bound, on whatever thread, perhaps before this returns.
    ///
    /// On an event loop, with a fetcher of our own, it all happens there and takes no task.
    func ask(
        _ token: [UInt8], within bound: Duration,
        then finish: @escaping @Sendable (IntrospectionClient.Outcome) -> Void
    ) {
        guard let shortcut, let url = locationAtHand(),
            let prepared = shortcut.prepared(.post, url, fields: request.fields)
        else {
            Task { finish(await outcome(of: token, within: bound)) }
            return
        }
        do throws(AuthorizationServerFault) {
            let body = try request.body(about: token, at: time.now())
            let message = prepared.message(withBodyOf: body.byteCount) { body.append(to: &$0) }
            shortcut.send(message, of: prepared, within: bound) { finish(Self.outcome(of: $0)) }
        } catch {
            finish(.failure(error))
        }
    }

    private static func outcome(of answer: DirectAccess.Outcome) -> IntrospectionClient.Outcome {
        switch answer {
        case .failure(let fault): return .failure(meant(by: fault))
        case .success(let body):
            guard let object = object(in: body) else { return .failure(.malformedDocument) }
            return .success(Self.answer(object))
        }
    }

    private func outcome(of token: [UInt8], within bound: Duration) async -> IntrospectionClient.Outcome {
        do throws(AuthorizationServerFault) {
            return .success(try await ask(token, within: bound))
        } catch {
            return .failure(error)
        }
    }

    /// Asks once.
    ///
    /// RFC 7662 §2.1, §2.2.
    func ask(
        _ token: [UInt8], within bound: Duration
    ) async throws(AuthorizationServerFault) -> IntrospectionClient.Answer {
        let begun = time.uptime()
        let url = try await location()
        // The place may have had to be looked up first.
        let bound = bound - (time.uptime() - begun)
        guard bound > .zero else { throw .noResponse(.timedOut) }
        let body = try request.body(about: token, at: time.now()).bytes
        let response: FetchResponse
        do throws(AuthorizationServerFault) {
            response = try await access.response(
                .post, url, fields: request.fields, sending: body, within: bound)
        } catch {
            throw Self.meant(by: error)
        }
        return Self.answer(try await members(of: response))
    }

    /// RFC 7662 §2.3: a 401 is about our own credentials, not about the client's token.
    private static func meant(by fault: AuthorizationServerFault) -> AuthorizationServerFault {
        fault == .status(401) ? .rejectedCredentials : fault
    }

    /// RFC 7662 §2.2: only the boolean true is active, and of an inactive token nothing else is read.
    private static func answer(_ object: JSONObject) -> IntrospectionClient.Answer {
        object["active"]?.bool == true ? .active(object) : .inactive
    }

    private static func object(in body: [UInt8]) -> JSONObject? {
        (try? JSONValue.parse(body))?.object
    }

    private func members(of response: FetchResponse) async throws(AuthorizationServerFault) -> JSONObject {
        guard let signed else {
            guard let object = Self.object(in: response.body) else { throw .malformedDocument }
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

extension AuthorizationServerMetadata {
    /// RFC 8705 §5: the place for clients that come with a certificate goes before the one for all.
    fileprivate func introspectionPlace(withCertificate usesCertificate: Bool) -> String? {
        (usesCertificate ? certificateIntrospectionEndpoint : nil) ?? introspectionEndpoint
    }
}
