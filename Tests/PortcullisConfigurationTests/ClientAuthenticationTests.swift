// SPDX-License-Identifier: MIT

import Foundation
import Portcullis
import PortcullisConfiguration
import PortcullisJOSE
import Testing

@Suite("Configuration file: how introspection is authenticated")
struct ClientAuthenticationTests {
    static func file(_ introspection: String, more: String = "") throws -> ConfigurationFile {
        let servers = """
            [{"issuer": "https://as.example.com", \(more)
              "introspection": {"endpoint": "https://as.example.com/i", \(introspection)}}]
            """
        return try ConfigurationFile(parsing: Array(SampleFile.with(authorizationServers: servers).utf8))
    }

    static func problems(_ introspection: String, in folder: String, more: String = "") throws -> [String] {
        do {
            _ = try file(introspection, more: more).makeResources(
                relativeTo: folder + "/c.json", onEvent: { _ in })
            return []
        } catch let error as InvalidConfiguration {
            return error.findings.map(\.description)
        }
    }

    @Test func `each method has its keys`() throws {
        let read = { (text: String) in try Self.file(text).authorizationServers.first?.introspection }
        #expect(
            try read(#""client_id": "rs", "client_secret": "s", "client_auth": "client_secret_post""#)?
                .authentication == .clientSecretPost(id: "rs", secret: "s"))
        #expect(
            try read(#""client_id": "rs", "private_key": "k.jwk", "client_auth": "private_key_jwt""#)?
                .authentication == .privateKeyJWT(id: "rs", keyFile: "k.jwk"))
        #expect(
            try read(
                """
                "client_id": "rs", "client_certificate": "c.pem", "client_private_key": "c.key",
                "client_auth": "tls_client_auth"
                """)?.authentication == .tlsClientAuth(id: "rs", certificateFile: "c.pem", keyFile: "c.key"))
        #expect(
            try read(#""bearer_token": "abc", "client_auth": "bearer""#)?.authentication
                == .bearer(token: "abc"))
    }

    @Test func `keys of another method are reported as unused`() throws {
        let file = try Self.file(#""client_id": "rs", "client_secret": "s", "bearer_token": "t""#)
        #expect(
            file.warnings.map(\.description) == [
                "$.authorization_servers[0].introspection.bearer_token: warning: is not used with client_auth "
                    + "\"client_secret_basic\"; leave it out"
            ])
    }

    @Test func `the form of client assertions has a safe default, and is said where it is another`() throws {
        let key = #""client_id": "rs", "private_key": "k.jwk", "client_auth": "private_key_jwt""#
        let path = "$.authorization_servers[0].introspection"
        let plain = try #require(try Self.file(key).authorizationServers.first?.introspection)
        #expect(plain.assertionType == .clientAuthentication && plain.assertionAudience == nil)
        let old = try Self.file(
            key + #", "assertion_type": "JWT", "assertion_audience": "https://as.example.com/token""#)
        let settings = try #require(old.authorizationServers.first?.introspection)
        #expect(settings.assertionType == .jwt)
        #expect(settings.assertionAudience == "https://as.example.com/token")
        #expect(old.warnings.map(\.path) == [path + ".assertion_audience"])
        let unused = try Self.file(#""client_id": "rs", "client_secret": "s", "assertion_type": "none""#)
        #expect(unused.warnings.map(\.path) == [path + ".assertion_type"])
    }

    @Test func `files are read at the start, and their problems name the key`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "portcullis-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let jwt = #""client_id": "rs", "private_key": "k.jwk", "client_auth": "private_key_jwt""#
        #expect(
            try Self.problems(jwt, in: folder) == [
                "$.authorization_servers[0].introspection.private_key: \(folder)/k.jwk cannot be opened: No such "
                    + "file or directory"
            ])
        let key = try PrivateJWK.generate(.es256).jsonIncludingPrivateMembers.serialized()
        try Data(key).write(to: URL(filePath: folder + "/k.jwk"))
        #expect(try Self.problems(jwt, in: folder) == [])
        let certificate = """
            "client_id": "rs", "client_certificate": "c.pem", "client_private_key": "c.key",
            "client_auth": "tls_client_auth"
            """
        #expect(
            try Self.problems(certificate, in: folder) == [
                "$.authorization_servers[0].introspection.client_certificate: cannot be used; must be a "
                    + "certificate in PEM that matches client_private_key"
            ])
    }

    @Test func `signed answers require keys and a client`() throws {
        let basic = #""client_id": "rs", "client_secret": "s", "signed_response": "required""#
        let problems = { (text: String, more: String) -> [String] in
            do {
                _ = try Self.file(text, more: more)
                return []
            } catch let error as InvalidConfiguration {
                return error.findings.map(\.path)
            }
        }
        let path = "$.authorization_servers[0].introspection.signed_response"
        #expect(try problems(basic, "") == [path])
        #expect(try problems(basic, #""discovery": true,"#) == [])
        let bearer = #""bearer_token": "t", "client_auth": "bearer", "signed_response": "required""#
        #expect(try problems(bearer, #""discovery": true,"#) == [path])
        let file = try Self.file(basic, more: #""discovery": true,"#)
        #expect(file.authorizationServers.first?.introspection?.signedResponseAudience == "rs")
    }
}
