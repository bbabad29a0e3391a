// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

/// The question whether a token is good, as it is sent.
///
/// RFC 7662 §2.1.
struct IntrospectionRequest: Sendable {
    let fields: Fields
    let body: [UInt8]

    /// Writes the question, with a fresh proof of who asks.
    ///
    /// - Parameters:
    ///   - issuer: The audience of an assertion that names none of its own.
    ///   - accepting: The media type of the answer.
    /// - Throws: `unusableCredentials` if an assertion can't be signed.
    ///
    /// RFC 7662 §2.1, RFC 6749 §2.3.1.
    init(
        _ token: [UInt8], by authentication: ClientAuthentication, issuer: String,
        accepting mediaType: String,
        at now: NumericDate
    ) throws(AuthorizationServerFault) {
        var fields: Fields = [:]
        var form = "token=" + FormEncoding.encode(token) + "&token_type_hint=access_token"
        switch authentication.method {
        case .basic(let id, let secret):
            // RFC 6749 §2.3.1: each is form-encoded before they are joined, so that a colon can't move the boundary.
            let pair = FormEncoding.encode(id) + ":" + FormEncoding.encode(secret)
            fields.append("Basic " + Base64.encode(Array(pair.utf8)), for: .authorization)
        case .post(let id, let secret):
            form += "&client_id=" + FormEncoding.encode(id)
            form += "&client_secret=" + FormEncoding.encode(secret)
        case .privateKeyJWT(let id, let key, let audience):
            do throws(JOSEError) {
                let assertion = try ClientAssertion.make(
                    id: id, key: key, audience: audience ?? issuer, at: now)
                form += "&client_id=" + FormEncoding.encode(id)
                form += "&client_assertion_type=" + FormEncoding.encode(ClientAssertion.type)
                form += "&client_assertion=" + assertion
            } catch {
                throw .unusableCredentials
            }
        case .certificate(let id):
            // RFC 8705 §2: the identifier says which client's certificate to expect.
            form += "&client_id=" + FormEncoding.encode(id)
        case .bearer(let own):
            fields.append("Bearer " + own, for: .authorization)
        }
        fields.append(mediaType, for: .accept)
        fields.append("application/x-www-form-urlencoded", for: .contentType)
        self.fields = fields
        body = Array(form.utf8)
    }
}
