// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// An introspection request, whose token-independent parts are serialized once.
///
/// RFC 7662 §2.1.
struct IntrospectionRequest: Sendable {
    /// The fields, the same for all tokens.
    let fields: Fields
    private let authentication: ClientAuthentication
    private let issuer: String
    /// The part of the form after the token; an assertion follows it.
    private let suffix: [UInt8]

    /// - Parameters:
    ///   - issuer: The audience of an assertion, unless one is configured.
    ///   - accepting: The media type of the answer.
    ///
    /// RFC 7662 §2.1, RFC 6749 §2.3.1.
    init(by authentication: ClientAuthentication, issuer: String, accepting mediaType: String) {
        self.authentication = authentication
        self.issuer = issuer
        var fields: Fields = [:]
        var suffix = Array("&token_type_hint=access_token".utf8)
        func add(_ name: String, _ value: String) {
            suffix += "&\(name)=".utf8
            FormEncoding.append(Array(value.utf8), to: &suffix)
        }
        switch authentication.method {
        case .basic(let id, let secret):
            // RFC 6749 §2.3.1: each is form-encoded before they are joined, so that a colon can't move the
            // boundary.
            let pair = FormEncoding.encode(id) + [0x3A] + FormEncoding.encode(secret)
            fields.append("Basic " + Base64.encode(pair), for: .authorization)
        case .post(let id, let secret):
            add("client_id", id)
            add("client_secret", secret)
        case .privateKeyJWT(let id, _, _, _):
            add("client_id", id)
            add("client_assertion_type", ClientAssertion.type)
            suffix += "&client_assertion=".utf8
        case .certificate(let id):
            // RFC 8705 §2: client_id selects the client's certificate.
            add("client_id", id)
        case .bearer(let own):
            fields.append("Bearer " + own, for: .authorization)
        }
        fields.append(mediaType, for: .accept)
        fields.append("application/x-www-form-urlencoded", for: .contentType)
        self.fields = fields
        self.suffix = suffix
    }

    /// Whether each request needs a signature.
    var signs: Bool { authentication.signs }

    /// The body of one request.
    struct Body {
        fileprivate let token: [UInt8]
        fileprivate let suffix: [UInt8]
        fileprivate let assertion: [UInt8]

        private static let prefix: StaticString = "token="

        var byteCount: Int {
            Self.prefix.utf8CodeUnitCount + FormEncoding.byteCount(of: token) + suffix.count + assertion.count
        }

        func append(to output: inout [UInt8]) {
            output.append(Self.prefix)
            FormEncoding.append(token, to: &output)
            output += suffix
            output += assertion
        }
    }

    /// Makes the body for a token, with a new assertion if needed.
    ///
    /// - Parameter listed: The algorithms that the server lists for assertions, if it does.
    /// - Throws: `unusableCredentials` if an assertion can't be signed.
    func body(
        about token: [UInt8], among listed: [String]?, at now: NumericDate
    ) throws(AuthorizationServerFault) -> Body {
        Body(token: token, suffix: suffix, assertion: try assertion(among: listed, at: now))
    }

    private func assertion(
        among listed: [String]?, at now: NumericDate
    ) throws(AuthorizationServerFault) -> [UInt8] {
        guard case .privateKeyJWT(let id, let key, let audience, let type) = authentication.method else {
            return []
        }
        do throws(JOSEError) {
            let assertion = try ClientAssertion.make(
                id: id, key: key, audience: audience ?? issuer, type: type, among: listed, at: now)
            return Array(assertion.utf8)
        } catch {
            throw .unusableCredentials
        }
    }
}
