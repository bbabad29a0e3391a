// SPDX-License-Identifier: MIT

import PortcullisConfiguration
import PortcullisJOSE
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("Configuration file: files with secrets")
struct SecretFileTests {
    private static let authorizationServers = """
        [{ "issuer": "https://as.example.com", "introspection": { "endpoint": "https://as.example.com/i",
           "client_auth": "private_key_jwt", "client_id": "a", "private_key": "jwt.key" } },
         { "issuer": "https://other.example.com", "introspection": {
           "endpoint": "https://other.example.com/i", "client_auth": "tls_client_auth",
           "client_id": "a", "client_certificate": "cert.pem",
           "client_private_key": "client.key" } }]
        """

    private static func text() -> String {
        SampleFile.with(
            server: #"{"tls": {"certificate": "cert.pem", "private_key": "tls.key"}}"#,
            authorizationServers: authorizationServers,
            resource: SampleFile.resource(
                more: #""tokens": {"dpop": {"nonce": "required", "nonce_keys_file": "nonce.key"}}, "#
                    + #""signed_metadata": {"private_key": "metadata.key", "algorithm": "ES256"}"#),
            more: #""store": {"url": "rediss://127.0.0.1/", "password_file": "store.password", "#
                + #""client_certificate": "cert.pem", "client_private_key": "store.key"}"#)
    }

    private static let places = [
        ("tls.key", "$.server.tls.private_key"), ("store.password", "$.store.password_file"),
        ("store.key", "$.store.client_private_key"),
        ("jwt.key", "$.authorization_servers[0].introspection.private_key"),
        ("client.key", "$.authorization_servers[1].introspection.client_private_key"),
        ("nonce.key", "$.resources[0].tokens.dpop.nonce_keys_file"),
        ("metadata.key", "$.resources[0].signed_metadata.private_key"),
    ]

    /// The warnings for a folder in which every file has the same mode.
    private static func warnings(mode: mode_t) throws -> (warnings: [String], folder: String) {
        var template = Array("/tmp/portcullis-XXXXXX\0".utf8).map { CChar(bitPattern: $0) }
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let names = places.map(\.0) + ["cert.pem"]
        defer {
            for name in names { unlink(folder + "/" + name) }
            rmdir(folder)
        }
        for name in names {
            let path = folder + "/" + name
            let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
            try #require(descriptor >= 0)
            // The process's umask restricts the mode of a new file.
            #expect(fchmod(descriptor, mode) == 0)
            close(descriptor)
        }
        let file = try ConfigurationFile(parsing: Array(text().utf8))
        return (file.warningsOfOpenSecrets(relativeTo: folder + "/c.json").map(\.description), folder)
    }

    @Test(arguments: [0o640, 0o604, 0o644, 0o660, 0o666, 0o777] as [mode_t])
    func `a secret file that others can read is a warning with its name`(mode: mode_t) throws {
        let (warnings, folder) = try Self.warnings(mode: mode)
        #expect(
            warnings
                == Self.places.map { name, path in
                    "\(path): warning: holds a secret, but users other than its owner can read or change "
                        + "\(folder)/\(name); set its mode to 600"
                })
    }

    @Test(arguments: [0o600, 0o400, 0o700, 0o611] as [mode_t])
    func `a file that only its owner can read is not reported`(mode: mode_t) throws {
        #expect(try Self.warnings(mode: mode).warnings == [])
    }

    @Test func `missing files are reported elsewhere`() throws {
        let file = try ConfigurationFile(parsing: Array(Self.text().utf8))
        #expect(file.warningsOfOpenSecrets(relativeTo: "/nonexistent/c.json") == [])
    }
}

@Suite("Text for a terminal")
struct TerminalTextTests {
    /// C0, DEL, C1, bidirectional controls, separators, zero-width characters, the byte order mark, tags,
    /// private use, unassigned.
    static let hidden: [Unicode.Scalar] =
        (0..<0x20).compactMap(Unicode.Scalar.init) + (0x7F...0x9F).compactMap(Unicode.Scalar.init)
        + ([0x00AD, 0x061C, 0x2028, 0x2029, 0xFEFF, 0xE000, 0xE0001, 0xE007F, 0x10FFFF] as [UInt32])
        .compactMap(Unicode.Scalar.init)
        + (0x200B...0x200F).compactMap(Unicode.Scalar.init)
        + (0x202A...0x202E).compactMap(Unicode.Scalar.init)
        + (0x2060...0x2069).compactMap(Unicode.Scalar.init)
        + (0xE0020...0xE007E).compactMap(Unicode.Scalar.init)

    @Test func `each control or invisible character is written as its code point`() {
        for scalar in Self.hidden {
            let number = "\\u{\(String(scalar.value, radix: 16))}"
            #expect(TerminalText.printable("a\(scalar)b") == "a\(number)b")
        }
    }

    @Test func `a JSON document keeps its value`() throws {
        var text = "\"é字😀\\/"
        for scalar in Self.hidden { text.unicodeScalars.append(scalar) }
        let document = String(decoding: JSONValue.string(text).serialized(), as: UTF8.self)
        let printable = TerminalText.printableJSON(document)
        #expect(printable.unicodeScalars.allSatisfy(TerminalText.isShown))
        #expect(printable.contains("é字😀"))
        #expect(printable.contains(#"\ufeff\ue000\udb40\udc01"#))
        let parsed = try JSONValue.parse(Array(printable.utf8)).string
        #expect(parsed.map { Array($0.utf8) } == Array(text.utf8))
    }

    @Test(arguments: ["", "plain", "é字😀", "a\u{301}"])
    func `other text is unchanged`(text: String) {
        #expect(TerminalText.printable(text) == text)
        #expect(TerminalText.printableJSON(text) == text)
    }

    @Test func `lines stay lines`() {
        #expect(TerminalText.printableLines("a\r\n\n\u{9B}b\n") == "a\\u{d}\n\n\\u{9b}b\n")
    }
}
