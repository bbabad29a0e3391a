// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisTesting
import Testing

@Suite("RFC 6750 §2.1 The Authorization field")
struct RFC6750_2_1_Credentials {
    let scene = Scene()

    private func refusal(_ values: String...) async -> Refusal? {
        await scene.resource.refusal(of: .get("/notes", fields: values.map { ("Authorization", $0) }))
    }

    @Test(arguments: ["Bearer", "bearer", "BEARER", "bEaReR"])
    func `the case of the scheme does not matter`(scheme: String) async {
        #expect(await refusal("\(scheme) \(scene.mint())") == nil)
    }

    @Test func `one or more spaces separate, surrounding whitespace is dropped`() async {
        #expect(await refusal("Bearer   \(scene.mint())") == nil)
        #expect(await refusal(" \t Bearer \(scene.mint()) \t") == nil)
    }

    @Test(arguments: [
        "a b", "a,b", "a, Bearer b", "a\"b", "a\\b", "a=b", "=", "a\tb", "é", "a;b", "a:b", "a@b", "(a)",
        "a%20b", "a?b",
    ])
    func `other characters are an invalid token`(token: String) async {
        let refusal = await refusal("Bearer \(token)")
        expectRefused(refusal, .malformedToken)
        #expect(refusal?.status == .unauthorized)
        #expect(
            refusal?.challenges.map(\.description) == [
                #"Bearer resource_metadata="\#(Scene.metadataURL)", error="invalid_token", "#
                    + #"error_description="The access token is malformed""#
            ])
        #expect(
            refusal.map { String(decoding: $0.body, as: UTF8.self).contains(token) } == false
                || token == "a b")
    }

    @Test(arguments: ["ab==", "-._~+/0aZ", "a="])
    func `the alphabet of token68 passes to the token's own checks`(token: String) async {
        expectRefused(await refusal("Bearer \(token)"), .malformedJWT)
    }

    @Test(arguments: ["Bearer", "bearer", "Bearer ", "Bearer    "])
    func `a scheme without a token is a malformed request`(value: String) async {
        let refusal = await refusal(value)
        expectRefused(refusal, .emptyCredentials)
        #expect(refusal?.status == .badRequest)
        #expect(
            refusal?.challenges.map(\.description) == [
                #"Bearer resource_metadata="\#(Scene.metadataURL)", error="invalid_request", "#
                    + #"error_description="The access token is missing""#
            ])
    }

    @Test(arguments: [
        "Basic dXNlcjpwYXNz", "DPoP a.b.c", "Negotiate", "Bearerx a", "Bear a", "Bearer\ta", "Bearer,a", "",
        "\"Bearer\" a",
        "Bearer: a", "xBearer a",
    ])
    func `another scheme counts as no credentials`(value: String) async {
        let refusal = await refusal(value)
        expectRefused(refusal, .unsupportedScheme)
        #expect(refusal?.status == .unauthorized)
        #expect(
            refusal?.challenges.map(\.description) == [#"Bearer resource_metadata="\#(Scene.metadataURL)""#])
        #expect(refusal?.body.isEmpty == true)
    }

    @Test func `a request without the field has no credentials`() async {
        let refusal = await refusal()
        expectRefused(refusal, .missingCredentials)
        #expect(
            refusal?.head.lines == [
                "HTTP/1.1 401 Unauthorized",
                #"WWW-Authenticate: Bearer resource_metadata="\#(Scene.metadataURL)""#,
                "Cache-Control: no-store",
            ])
        #expect(refusal?.body.isEmpty == true)
    }

    @Test func `two fields are a malformed request, equal or not, with any scheme`() async {
        let token = scene.mint()
        for second in ["Bearer \(token)", "Bearer x", "Basic x", ""] {
            for pair in [["Bearer \(token)", second], [second, "Bearer \(token)"]] {
                let refusal = await refusal(pair[0], pair[1])
                expectRefused(refusal, .repeatedCredentials)
                #expect(refusal?.status == .badRequest)
                #expect(
                    refusal?.challenges.map(\.description) == [
                        #"Bearer resource_metadata="\#(Scene.metadataURL)", error="invalid_request", "#
                            + #"error_description="More than one method was used to send the access token""#
                    ])
            }
        }
    }

    @Test func `§2.3: a token in the query or a cookie is not a credential`() async {
        let token = scene.mint()
        let query = await scene.resource.refusal(of: .get("/notes?access_token=\(token)"))
        expectRefused(query, .missingCredentials)
        let cookie = await scene.resource.refusal(
            of: .get("/notes", fields: [("Cookie", "access_token=\(token)")]))
        expectRefused(cookie, .missingCredentials)
        #expect(await scene.resource.refusal(of: .get("/notes?access_token=x", bearer: token)) == nil)
    }

    @Test func `a token above the limit is refused before parsing`() async {
        let refusal = await refusal("Bearer " + String(repeating: "a", count: 16_385))
        expectRefused(refusal, .tokenTooLong)
        #expect(refusal?.status == .unauthorized)
        #expect(refusal?.challenges.first?["error"] == "invalid_token")
        expectRefused(await self.refusal("Bearer " + String(repeating: "a", count: 16_384)), .malformedJWT)
    }
}
