// SPDX-License-Identifier: MIT

import PortcullisServer
import PortcullisTransport
import Testing

/// What the server negotiates with another implementation's client.
@Suite("RFC 7301, RFC 5246, RFC 9325 TLS negotiation", .timeLimit(.minutes(2)))
struct RFC7301_ALPN {
    let identities: TestIdentities

    init() throws { identities = try TestIdentities.shared.get() }

    private func withTLSServer(
        clients: ClientCertificates = .none, _ test: (RunningServer) async throws -> Void
    ) async throws {
        var setup = RunningServer.Setup()
        setup.tls = try identities.tls(clients: clients)
        try await withServer(setup, { $0.get("/hello") { _ in .text("Hello\n") } }, test)
    }

    private let closing = request("GET", "/hello", ["Connection: close"])

    @Test(arguments: [("http/1.1", "http/1.1"), ("h2,http/1.1", "http/1.1"), ("h2,http/1.0", "http/1.0")])
    func `§3.2: HTTP/1.1 is chosen among the client's protocols`(offer: String, choice: String) async throws {
        try await withTLSServer { server in
            let seen = try await OpenSSLClient.run(port: server.port, ["-alpn", offer], sending: closing)
            #expect(seen.contains("ALPN protocol: \(choice)\n"))
            #expect(seen.contains("HTTP/1.1 200 OK"))
        }
    }

    @Test(arguments: ["h2", "h3,spdy/3", "http/1.11"])
    func `§3.2: no common protocol is no_application_protocol`(offer: String) async throws {
        try await withTLSServer { server in
            let seen = try await OpenSSLClient.run(port: server.port, ["-alpn", offer])
            #expect(seen.contains("SSL alert number 120"))
        }
    }

    @Test(arguments: [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
    func `TLS 1.2 and 1.3 work without ALPN too`(option: String, name: String) async throws {
        try await withTLSServer { server in
            let seen = try await OpenSSLClient.run(port: server.port, [option], sending: closing)
            #expect(seen.contains("New, \(name), Cipher is "))
            #expect(seen.contains("No ALPN negotiated") && seen.contains("Compression: NONE"))
            #expect(seen.contains("HTTP/1.1 200 OK"))
        }
    }

    @Test(arguments: ["-tls1", "-tls1_1"])
    func `RFC 9325 §3.1.1: older versions are refused`(option: String) async throws {
        try await withTLSServer { server in
            let seen = try await OpenSSLClient.run(
                port: server.port, [option, "-cipher", "ALL:@SECLEVEL=0"])
            #expect(seen.contains("alert protocol version"))
        }
    }

    @Test(arguments: ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "DHE-RSA-AES128-GCM-SHA256", "eNULL"])
    func `RFC 9325 §4.2: ciphers without forward secrecy or AEAD are refused`(cipher: String) async throws {
        try await withTLSServer { server in
            let seen = try await OpenSSLClient.run(
                port: server.port, ["-tls1_2", "-cipher", cipher + ":@SECLEVEL=0"])
            #expect(seen.contains("alert handshake failure"))
        }
    }

    @Test func `RFC 5746: a client cannot renegotiate`() async throws {
        try await withTLSServer { server in
            let seen = try await OpenSSLClient.run(
                port: server.port, ["-tls1_2"], sending: "R\n", takesCommands: true)
            #expect(seen.contains("RENEGOTIATING"))
            #expect(seen.contains("no renegotiation"))
        }
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"], [false, true])
    func `RFC 8446 §2.2, RFC 5077: sessions are resumed, also with client certificates`(
        option: String, showing: Bool
    ) async throws {
        let certificate = [
            "-cert", identities.path("client.pem"), "-key", identities.path("client.key"),
        ]
        let clients: ClientCertificates = showing ? .require(issuedBy: identities.pem("ca")) : .none
        try await withTLSServer(clients: clients) { server in
            let file = identities.path("session\(option)-\(showing)")
            let arguments = [option] + (showing ? certificate : [])
            let first = try await OpenSSLClient.run(
                port: server.port, arguments + ["-sess_out", file], sending: closing)
            #expect(first.contains("\nNew, "))
            let second = try await OpenSSLClient.run(
                port: server.port, arguments + ["-sess_in", file], sending: closing)
            #expect(second.contains("\nReused, ") && second.contains("HTTP/1.1 200 OK"))
            // Other ticket keys: a full handshake again, and no failure.
            await server.replaceTLS(try identities.tls(clients: clients))
            let third = try await OpenSSLClient.run(
                port: server.port, arguments + ["-sess_in", file], sending: closing)
            #expect(third.contains("\nNew, ") && third.contains("HTTP/1.1 200 OK"))
        }
    }
}
