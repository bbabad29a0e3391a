// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisCommand
import PortcullisConfiguration
import PortcullisJOSE
import PortcullisTesting
import Testing

@Suite("portcullis init: a file that fits a token")
struct FileDraftTests {
    private func draft(_ shape: IssuerShape, _ issuer: TestIssuer) throws -> FileDraft {
        FileDraft(
            guarding: try ResourceIdentifier(validating: IssuerShape.resource),
            ["issuer": .string(shape.configured), "jwks": .object(issuer.keys.publicJSON)],
            issuer: shape.configured)
    }

    @Test(arguments: IssuerShape.followed.filter { $0.end == .admitted && !$0.name.hasPrefix("Entra ID") })
    func `the file admits the token, and each setting is explained`(shape: IssuerShape) async throws {
        let issuer = TestIssuer(shape.tokenIssuer, algorithm: .rs256)
        let token = shape.token(by: issuer)
        var draft = try draft(shape, issuer)
        #expect(await draft.fit(token) == .fits, "\(draft.notes)")
        let resource = try ExplainAdviceTests.resource(draft.file)
        let accepted = try await resource.authorize(.get("/notes", bearer: token))
        #expect(accepted.issuer == shape.tokenIssuer)
        #expect(draft.notes.contains { $0.contains(": set {") })
        #expect(draft.notes.allSatisfy { !$0.contains(token) })
        // The file that is printed is the file that was tried.
        let warnings = try ConfigurationFile(.object(draft.file)).warnings.map(\.description)
        #expect(warnings.allSatisfy(draft.notes.contains))
    }

    @Test(arguments: IssuerShape.followed.filter { $0.end == .introspection })
    func `an opaque token leads to introspection, with placeholders`(shape: IssuerShape) async throws {
        var draft = try draft(shape, TestIssuer(shape.tokenIssuer, algorithm: .rs256))
        #expect(await draft.fit(shape.opaque) == .fits)
        let entry = draft.file["authorization_servers"]?.array?.first?.object
        #expect(entry?["introspection"]?.object?["client_id"]?.string == "YOUR-CLIENT-ID")
    }

    @Test(arguments: [
        "Google, an ID token", "Keycloak without an audience mapper",
        "Entra ID v2, a token for Microsoft Graph",
        // Only a scope of the API shows that a UUID is its name, and no route needs one yet.
        "Entra ID v1", "Entra ID v2",
    ])
    func `a token that is not for the API leads to no file`(name: String) async throws {
        let shape = try #require(IssuerShape.all.first { $0.name == name })
        let issuer = TestIssuer(shape.tokenIssuer, algorithm: .rs256)
        var draft = try draft(shape, issuer)
        guard case .unsound(let why) = await draft.fit(shape.token(by: issuer)) else {
            Issue.record("\(draft.file.serialized())")
            return
        }
        #expect(why.hasSuffix("."))
    }

    @Test func `without a token the file is the strictest one`() async throws {
        let shape = try #require(IssuerShape.all.first)
        var draft = try draft(shape, TestIssuer(shape.tokenIssuer))
        #expect(await draft.fit(nil) == .fits)
        #expect(try ConfigurationFile(.object(draft.file)).warnings.isEmpty)
    }
}
