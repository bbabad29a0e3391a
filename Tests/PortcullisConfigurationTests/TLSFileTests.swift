// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisServer
import Testing

@Suite("Configuration file: server.tls")
struct TLSFileTests {
    static func file(_ tls: String?) throws -> ConfigurationFile {
        let text = SampleFile.with(server: tls.map { #"{"tls": \#($0)}"# })
        return try ConfigurationFile(parsing: Array(text.utf8))
    }

    @Test func `a file without server.tls makes a server without TLS`() throws {
        let file = try Self.file(nil)
        #expect(file.server.tls == nil)
        let tls = try file.makeTLS(relativeTo: "c.json")
        #expect(tls == nil)
    }

    @Test func `every file that cannot be opened is reported`() throws {
        let file = try Self.file(
            #"{"certificate": "a.pem", "private_key": "/none/b.key", "client_certificates": "request", "#
                + #""client_ca": "c.pem"}"#
        )
        let error = #expect(throws: InvalidConfiguration.self) {
            try file.makeTLS(relativeTo: "/none/c.json")
        }
        #expect(
            error?.findings.map(\.description) == [
                "$.server.tls.certificate: /none/a.pem cannot be opened: No such file or directory",
                "$.server.tls.private_key: /none/b.key cannot be opened: No such file or directory",
                "$.server.tls.client_ca: /none/c.pem cannot be opened: No such file or directory",
            ])
    }

    @Test func `unused certificate authorities are not read, and a warning says so`() throws {
        let text = SampleFile.with(
            server: #"{"tls": {"certificate": "a.pem", "private_key": "b.key", "client_ca": "c.pem"}}"#)
        #expect(
            try SampleFile.warnings(text) == [
                "$.server.tls.client_ca: warning: is not used, since client_certificates is neither \"request\" "
                    + "nor \"require\""
            ])
        let error = #expect(throws: InvalidConfiguration.self) {
            try Self.file(#"{"certificate": "a.pem", "private_key": "b.key", "client_ca": "c.pem"}"#)
                .makeTLS(relativeTo: "/none/c.json")
        }
        #expect(error?.findings.count == 2)
    }

    @Test func `switching TLS on or off requires a restart, other changes do not`() throws {
        let (with, without) = (
            try Self.file(#"{"certificate": "a", "private_key": "b"}"#), try Self.file(nil)
        )
        #expect(with.changesForRestart(from: without) == ["$.server.tls"])
        #expect(without.changesForRestart(from: with) == ["$.server.tls"])
        let other = try Self.file(#"{"certificate": "c", "private_key": "d"}"#)
        #expect(other.changesForRestart(from: with) == [])
    }
}
