// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("RFC 6750 §2.2, §2.3 Forms and queries")
struct RFC6750_2_2_OtherPlaces {
    let clock = ManualClock()
    let issuer: TestIssuer

    init() {
        issuer = TestIssuer("https://as.example.com", time: clock.time)
    }

    private func resource(
        _ methods: [ProtectedResourceMetadata.BearerMethod]?, dpop: [String] = []
    ) throws -> ProtectedResource {
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.authorizationServers = [issuer.issuer]
        metadata.bearerMethodsSupported = methods
        metadata.dpopSigningAlgorithmsSupported = dpop
        return try ProtectedResource(
            validating: .init(metadata, trusting: [issuer.trusted], time: clock.time))
    }

    private var token: String { issuer.mint(audience: Scene.identifier) }

    private static let formType = ("Content-Type", "application/x-www-form-urlencoded")

    private func refusal(
        _ resource: ProtectedResource, _ form: String, _ method: Method = .post, _ target: String = "/notes",
        type: [(String, String)] = [formType], bearer: String? = nil
    ) async -> Refusal? {
        let head = RequestHead.test(method, target, bearer: bearer, fields: type)
        return await resource.refusal(of: head, in: AuthorizationContext(form: Array(form.utf8)))
    }

    @Test func `§2.2: a token in a form is accepted where the metadata lists body`() async throws {
        let form = "x=1&access_token=\(token)&y=%20"
        #expect(await refusal(try resource([.header, .body]), form) == nil)
        #expect(await refusal(try resource([.body]), form) == nil)
        for methods in [nil, [.header], [.header, .query]] as [[ProtectedResourceMetadata.BearerMethod]?] {
            expectRefused(await refusal(try resource(methods), form), .missingCredentials)
        }
    }

    @Test(arguments: [
        "application/x-www-form-urlencoded", "APPLICATION/X-WWW-Form-Urlencoded",
        "application/x-www-form-urlencoded; charset=utf-8", "application/x-www-form-urlencoded;charset=x",
    ])
    func `§2.2: the content type is a form, with any parameters`(type: String) async throws {
        let resource = try resource([.body])
        let refusal = await refusal(resource, "access_token=\(token)", type: [("Content-Type", type)])
        #expect(refusal == nil)
    }

    @Test(arguments: [
        "application/json", "text/plain", "multipart/form-data; boundary=x", "",
        "application/x-www-form-urlencodedx", "x-application/x-www-form-urlencoded",
    ])
    func `§2.2: content of another type contains no token`(type: String) async throws {
        let resource = try resource([.body])
        let form = "access_token=\(token)"
        let refusal = await refusal(resource, form, type: [("Content-Type", type)])
        expectRefused(refusal, .missingCredentials)
        expectRefused(await self.refusal(resource, form, type: []), .missingCredentials)
        let twice = await self.refusal(resource, form, type: [Self.formType, Self.formType])
        expectRefused(twice, .missingCredentials)
        #expect(!resource.needsForm(of: .test(.post, "/notes", fields: [("Content-Type", type)])))
    }

    @Test(arguments: ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"])
    func `§2.2: content of a method without content semantics contains no token`(method: String) async throws
    {
        let resource = try resource([.body])
        let method = Method(token: method)
        expectRefused(await refusal(resource, "access_token=\(token)", method), .missingCredentials)
        #expect(!resource.needsForm(of: .test(method, "/notes", fields: [Self.formType])))
    }

    @Test(arguments: ["POST", "PUT", "PATCH"])
    func `§2.2: content of a method with content semantics may contain one`(method: String) async throws {
        let resource = try resource([.body])
        let method = Method(token: method)
        #expect(await refusal(resource, "access_token=\(token)", method) == nil)
        #expect(resource.needsForm(of: .test(method, "/notes", fields: [Self.formType])))
    }

    @Test func `§2.2: a form that is not ASCII contains no token`() async throws {
        let resource = try resource([.body])
        expectRefused(await refusal(resource, "x=é&access_token=\(token)"), .missingCredentials)
    }

    @Test func `§2.2: content that the host has not read contains no token`() async throws {
        let head = RequestHead.test(.post, "/notes", fields: [Self.formType])
        expectRefused(await (try resource([.body])).refusal(of: head), .missingCredentials)
    }

    @Test(arguments: ["access_token=a&access_token=a", "access_token=a&x=1&access%5Ftoken=b"])
    func `§3.1: a token given more than once is a malformed request`(text: String) async throws {
        for refusal in [
            await refusal(try resource([.body]), text),
            await refusal(try resource([.query]), "", .get, "/notes?" + text, type: []),
        ] {
            expectRefused(refusal, .repeatedCredentials)
            #expect(refusal?.status == .badRequest)
            #expect(
                refusal?.challenges.map(\.description) == [
                    #"Bearer resource_metadata="\#(Scene.metadataURL)", error="invalid_request", "#
                        + #"error_description="More than one method was used to send the access token""#
                ])
        }
    }

    @Test(arguments: ["access_token=", "access_token", "x=1&access_token=&y=2"])
    func `§3.1: an empty token is a malformed request`(text: String) async throws {
        for refusal in [
            await refusal(try resource([.body]), text),
            await refusal(try resource([.query]), "", .get, "/notes?" + text, type: []),
        ] {
            expectRefused(refusal, .emptyCredentials)
            #expect(refusal?.status == .badRequest)
            #expect(refusal?.challenges.first?["error"] == "invalid_request")
        }
    }

    @Test(arguments: ["access_token=a%20b", "access_token=a+b", "access_token=%zz", "access_token=a%2"])
    func `§2.1: the token's alphabet applies here too`(text: String) async throws {
        for refusal in [
            await refusal(try resource([.body]), text),
            await refusal(try resource([.query]), "", .get, "/notes?" + text, type: []),
        ] {
            expectRefused(refusal, .malformedToken)
            #expect(refusal?.status == .unauthorized)
        }
    }

    @Test func `§2.3: a token in the query is accepted where the metadata lists query`() async throws {
        let target = "/notes?x=1&access_token=\(token)"
        for methods in [[.header, .query], [.query]] as [[ProtectedResourceMetadata.BearerMethod]] {
            #expect(await (try resource(methods)).refusal(of: .get(target)) == nil)
        }
        let off = await (try resource([.header, .body])).refusal(of: .get(target))
        expectRefused(off, .missingCredentials)
        #expect(off?.challenges.first?["error"] == nil)
    }

    @Test func `§2: tokens in two accepted places are a malformed request, even if equal`()
        async throws
    {
        let token = token
        let all = try resource([.header, .body, .query])
        let form = "access_token=\(token)"
        let query = "/notes?access_token=\(token)"
        for refusal in [
            await refusal(all, form, bearer: token), await refusal(all, "", .post, query, bearer: token),
            await refusal(all, form, .post, query), await refusal(all, form, .post, query, bearer: token),
        ] {
            expectRefused(refusal, .severalMethods)
            #expect(refusal?.status == .badRequest)
            #expect(refusal?.challenges.first?["error"] == "invalid_request")
        }
    }

    @Test func `§2: a place that is not accepted is ignored`() async throws {
        let token = token
        let form = "access_token=x"
        #expect(
            await refusal(try resource([.header]), form, .post, "/notes?access_token=x", bearer: token) == nil
        )
        #expect(
            await refusal(try resource([.header, .body]), "", .post, "/notes?access_token=x", bearer: token)
                == nil)
        let bodyOnly = await refusal(try resource([.body]), "", bearer: token)
        expectRefused(bodyOnly, .unsupportedScheme)
        #expect(bodyOnly?.challenges.map(\.scheme) == [.bearer])
    }

    @Test func `RFC 9449 §7.1: a bound token in a form or the query is refused`() async throws {
        let client = TestDPoPClient(time: clock.time)
        let token = issuer.mint(audience: Scene.identifier, boundTo: client)
        let resource = try resource([.header, .body, .query], dpop: ["ES256"])
        let proof = ("DPoP", client.proof(.post, Scene.identifier, token: token))
        let form = await refusal(resource, "access_token=\(token)", type: [Self.formType, proof])
        expectRefused(form, .boundTokenAsBearer)
        let query = await refusal(resource, "", .post, "/notes?access_token=\(token)", type: [proof])
        expectRefused(query, .boundTokenAsBearer)
        let both = await resource.refusal(
            of: .dpop(.post, "/notes?access_token=x", token: token, proofs: [proof.1]))
        expectRefused(both, .severalMethods)
        #expect(both?.challenges.map { $0["error"] } == ["invalid_request", "invalid_request"])
    }

    @Test func `RFC 9728 §2: an empty list means no bearer tokens at all`() async throws {
        #expect(throws: ConfigurationError.self) { try resource([]) }
        let refusal = await (try resource([], dpop: ["ES256"])).refusal(of: .get("/notes", bearer: token))
        expectRefused(refusal, .unsupportedScheme)
        #expect(refusal?.challenges.map(\.scheme) == [.dpop])
    }

    @Test func `§2.3: an answer to a token in the query is private`() async throws {
        let resource = try resource([.header, .query])
        func completed(_ target: String, _ fields: Fields = [:], _ status: Status = .ok) -> [String] {
            var fields = fields
            resource.complete(&fields, status: status, answering: .get(target, fields: []))
            return fields.values(of: .cacheControl)
        }
        #expect(completed("/notes?access_token=a") == ["private, no-store"])
        #expect(completed("/notes?access_token=a", [.cacheControl: "max-age=5"]) == ["private, max-age=5"])
        #expect(
            completed("/notes?access_token=a", [.cacheControl: "no-store, private"]) == ["no-store, private"])
        #expect(completed("/notes?access_token=a", [:], .notFound) == [])
        #expect(completed("/notes?a=access_token") == [])
    }

    @Test(arguments: 0..<8)
    func `RFC 9728 §2: the metadata lists exactly the accepted methods, in all combinations`(combination: Int)
        async throws
    {
        let all = ProtectedResourceMetadata.BearerMethod.allCases
        let methods = all.indices.filter { combination & (1 << $0) != 0 }.map { all[$0] }
        // Without a bearer method another scheme is required.
        let resource = try resource(methods, dpop: methods.isEmpty ? ["ES256"] : [])
        let advertised = try JSONValue.parse(resource.metadataDocument.body).object?[
            "bearer_methods_supported"]
        #expect(advertised?.array?.compactMap(\.string) == methods.map(\.rawValue))
        let token = token
        let isTaken =
            [
                .header: await resource.refusal(of: .get("/notes", bearer: token)) == nil,
                .body: await refusal(resource, "access_token=\(token)") == nil,
                .query: await resource.refusal(of: .get("/notes?access_token=\(token)")) == nil,
            ] as [ProtectedResourceMetadata.BearerMethod: Bool]
        for method in all { #expect(isTaken[method] == methods.contains(method), "\(method)") }
    }
}
