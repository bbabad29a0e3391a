// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// Asks one authorization server whether tokens are good.
///
/// Requests with the same token share one call, which belongs to this actor and not to the request that caused it.
///
/// RFC 7662 §2.
actor IntrospectionClient {
    /// What the server says.
    enum Answer: Sendable {
        case active(JSONObject)
        case inactive
    }

    /// How many calls to one server may be under way.
    static let maximumCallCount = 1024

    private let endpoint: @Sendable () async throws(AuthorizationServerFault) -> String
    private let authentication: ClientAuthentication
    private let access: ServerAccess
    private let report: @Sendable (AuthorizationServerFault) -> Void
    private var calls: [SHA256Digest: Task<Result<Answer, AuthorizationServerFault>, Never>] = [:]

    init(
        _ settings: TrustedIssuer.Introspection, access: ServerAccess,
        metadata: Refresher<AuthorizationServerMetadata>?,
        reporting report: @escaping @Sendable (AuthorizationServerFault) -> Void
    ) {
        authentication = settings.authentication
        self.access = access
        self.report = report
        let configured = settings.endpoint
        endpoint = { () async throws(AuthorizationServerFault) in
            if let configured { return configured }
            guard let metadata else { throw .missingMember }
            guard let reading = await metadata.reading() else {
                throw await metadata.lastFault ?? .missingMember
            }
            guard let discovered = reading.value.introspectionEndpoint else { throw .missingMember }
            return discovered
        }
    }

    /// The answer for a token, whose characters and length were checked.
    func answer(
        for token: [UInt8], digest: SHA256Digest
    ) async throws(AuthorizationServerFault) -> Answer {
        let call: Task<Result<Answer, AuthorizationServerFault>, Never>
        if let running = calls[digest] {
            call = running
        } else {
            guard calls.count < Self.maximumCallCount else { throw .tooManyCalls }
            call = Task { await self.perform(token, digest) }
            calls[digest] = call
        }
        return try await call.value.get()
    }

    private func perform(_ token: [UInt8], _ digest: SHA256Digest) async -> Result<
        Answer, AuthorizationServerFault
    > {
        defer { calls[digest] = nil }
        do throws(AuthorizationServerFault) {
            return .success(try await call(token))
        } catch {
            report(error)
            return .failure(error)
        }
    }

    private func call(_ token: [UInt8]) async throws(AuthorizationServerFault) -> Answer {
        var fields: Fields = [:]
        var body = "token=" + FormEncoding.encode(token) + "&token_type_hint=access_token"
        switch authentication.method {
        case .basic(let id, let secret):
            // RFC 6749 §2.3.1: each is form-encoded before they are joined, so that a colon can't move the boundary.
            let pair = FormEncoding.encode(Array(id.utf8)) + ":" + FormEncoding.encode(Array(secret.utf8))
            fields.append("Basic " + Base64.encode(Array(pair.utf8)), for: .authorization)
        case .post(let id, let secret):
            body += "&client_id=" + FormEncoding.encode(Array(id.utf8))
            body += "&client_secret=" + FormEncoding.encode(Array(secret.utf8))
        case .bearer(let own):
            fields.append("Bearer " + own, for: .authorization)
        }
        fields.append("application/json", for: .accept)
        fields.append("application/x-www-form-urlencoded", for: .contentType)
        let response: [UInt8]
        do throws(AuthorizationServerFault) {
            response = try await access.body(
                .post, await endpoint(), fields: fields, sending: Array(body.utf8))
        } catch {
            // RFC 7662 §2.3: a 401 is about our own credentials, not about the client's token.
            if case .status(401) = error { throw .rejectedCredentials }
            throw error
        }
        guard let object = (try? JSONValue.parse(response))?.object else { throw .malformedDocument }
        // RFC 7662 §2.2: only the boolean true is active, and of an inactive token nothing else is read.
        return object["active"]?.bool == true ? .active(object) : .inactive
    }
}

/// `application/x-www-form-urlencoded`.
///
/// RFC 6749 Appendix B.
enum FormEncoding {
    static func encode(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var output: [UInt8] = []
        for byte in bytes {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2A, 0x2D, 0x2E, 0x5F: output.append(byte)
            case 0x20: output.append(0x2B)
            default: output += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
