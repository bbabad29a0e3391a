// SPDX-License-Identifier: MIT

import Dispatch
import Foundation
import PortcullisHTTP
import PortcullisTransport
import Synchronization
import Testing

@Suite("RFC 9325 The client under TLS", .timeLimit(.minutes(1)))
struct TLSClientTests {
    private let certificates: TestCertificates

    init() throws { certificates = try TestCertificates.shared.get() }

    /// Resolves every name to loopback.
    private let everywhere = Resolver { _, port in
        Result { () throws(SocketError) in try SocketAddress.resolve(host: "127.0.0.1", port: port) }
    }

    private func get(
        _ server: TLSServerProcess, as host: String = "localhost", readiness: ReadinessKind = .preferred,
        roots: TrustedRoots? = nil, identity: TLSIdentity? = nil
    ) async throws(HTTPClientError) -> HTTPClient.Response {
        let client: HTTPClient
        do {
            client = try makeClient(
                readiness, roots: roots ?? certificates.authority, identity: identity, resolver: everywhere)
        } catch {
            throw .unavailable(0)
        }
        return try await client.execute(.init(url: "https://\(host):\(server.port)/", deadline: .seconds(30)))
    }

    @Test(arguments: ReadinessKind.allCases, ["-tls1_2", "-tls1_3"])
    func `a server with a trusted certificate is accepted`(readiness: ReadinessKind, version: String)
        async throws
    {
        let server = try TLSServerProcess(certificate: "localhost", ["-www", version, "-alpn", "http/1.1"])
        let response = try await get(server, readiness: readiness)
        #expect(response.status == .ok)
        #expect(response.text.contains(version == "-tls1_2" ? "TLSv1.2" : "TLSv1.3"))
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func `RFC 5280 §4.1.2.5: the version and the certificate are passed on after the handshake`(
        version: String
    )
        async throws
    {
        let server = try TLSServerProcess(certificate: "localhost", ["-www", version])
        let seen = Mutex<[String: TLSPeer]>([:])
        var configuration = HTTPClient.Configuration(roots: certificates.authority)
        configuration.whenSecured = { host, peer in seen.withLock { $0[host] = peer } }
        let client = HTTPClient(configuration: configuration, loops: nil, resolver: everywhere)
        let url = "https://localhost:\(server.port)/"
        #expect(try await client.execute(.init(url: url, deadline: .seconds(30))).status == .ok)
        let peer = try #require(seen.withLock { $0["localhost"] })
        #expect(peer.version == (version == "-tls1_2" ? "TLSv1.2" : "TLSv1.3"))
        #expect(peer.daysLeft >= 0 && peer.daysLeft < 36_500)
        #expect(peer.certificate.first == 0x30 && peer.certificate.count > 200)
        await #expect(throws: HTTPClientError.self) {
            try await client.execute(
                .init(url: "https://other.example:\(server.port)/", deadline: .seconds(30)))
        }
        #expect(seen.withLock { $0.count } == 1)
    }

    @Test func `roots can be given as bytes`() async throws {
        let server = try TLSServerProcess(certificate: "localhost")
        let pem = try Data(contentsOf: URL(fileURLWithPath: certificates.path("ca.pem")))
        #expect(try await get(server, roots: .pem(.bytes(Array(pem)))).status == .ok)
    }

    @Test func `a configured root may be the server's own certificate`() async throws {
        let server = try TLSServerProcess(certificate: "localhost")
        #expect(try await get(server, roots: .pem(.file(certificates.path("localhost.pem")))).status == .ok)
    }

    @Test func `an unknown root is refused`() async throws {
        let server = try TLSServerProcess(certificate: "localhost")
        for roots in [TrustedRoots.system, .pem(.file(certificates.path("other-ca.pem")))] {
            await #expect(throws: HTTPClientError.tls(.certificateRefused(.unknownIssuer))) {
                try await get(server, roots: roots)
            }
        }
    }

    @Test func `an expired certificate is refused`() async throws {
        let server = try TLSServerProcess(certificate: "expired")
        await #expect(throws: HTTPClientError.tls(.certificateRefused(.expired))) { try await get(server) }
    }

    @Test func `a client's certificate is refused for a server`() async throws {
        let server = try TLSServerProcess(certificate: "client")
        let error = await #expect(throws: HTTPClientError.self) {
            try await get(server, as: "client.example")
        }
        guard case .tls(.certificateRefused(.other)) = error else {
            Issue.record("Another error: \(String(describing: error))")
            return
        }
    }

    @Test(arguments: [
        ("localhost", "localhost", true), ("localhost", "LocalHost", true), ("elsewhere", "localhost", false),
        ("localhost", "localhost.example", false), ("common-name", "localhost", false),
        ("address", "127.0.0.1", true), ("localhost", "127.0.0.1", false), ("address", "localhost", false),
        ("wildcard", "a.wild.example", true), ("wildcard", "a.b.wild.example", false),
        ("wildcard", "wild.example", false), ("partial-wildcard", "ab.wild.example", false),
    ])
    func `RFC 9525 §6: the certificate has to match the host of the URL`(
        certificate: String, host: String, matches: Bool
    ) async throws {
        let server = try TLSServerProcess(certificate: certificate)
        if matches {
            #expect(try await get(server, as: host).status == .ok)
        } else {
            await #expect(throws: HTTPClientError.tls(.certificateRefused(.wrongName))) {
                try await get(server, as: host)
            }
        }
    }

    @Test(arguments: ["-tls1", "-tls1_1"])
    func `RFC 9325 §3.1.1: TLS below 1.2 is refused`(version: String) async throws {
        let server = try TLSServerProcess(
            certificate: "localhost", ["-www", version, "-cipher", "ALL:@SECLEVEL=0"])
        let error = await #expect(throws: HTTPClientError.self) { try await get(server) }
        #expect(error == .tls(.versionRefused) || error == .tls(.alert(70)))
    }

    @Test func `RFC 7301 §3.2: a server without HTTP/1.1 is refused`() async throws {
        let server = try TLSServerProcess(certificate: "localhost", ["-www", "-alpn", "h2"])
        await #expect(throws: HTTPClientError.tls(.alert(120))) { try await get(server) }
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func `RFC 8705 §2: the client presents its certificate to a server that requests it`(version: String)
        async throws
    {
        let arguments = [
            "-www", version, "-Verify", "1", "-verify_return_error", "-CAfile", certificates.path("ca.pem"),
        ]
        let server = try TLSServerProcess(certificate: "localhost", arguments)
        let identity = TLSIdentity(
            certificateChain: .file(certificates.path("client.pem")),
            privateKey: .file(certificates.path("client.key")))
        let response = try await get(server, identity: identity)
        #expect(response.status == .ok)
        #expect(response.text.contains("CN=client") || response.text.contains("CN = client"))
        let error = await #expect(throws: HTTPClientError.self) { try await get(server) }
        guard case .tls = error else {
            Issue.record("Another error: \(String(describing: error))")
            return
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `connections with TLS are kept, and carry large answers`(readiness: ReadinessKind) async throws {
        let server = try TLSServerProcess(certificate: "localhost", ["-alpn", "http/1.1"])
        let client = try makeClient(readiness, roots: certificates.authority, resolver: everywhere)
        // The program serves one connection at a time: a second one would wait forever.
        for count in [1, 100_000, 0, 900_000] {
            let body = String(repeating: "0123456789", count: count)
            let answering = Task.detached {
                try server.answer("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            }
            let response = try await client.execute(
                .init(
                    url: "https://localhost:\(server.port)/", deadline: .seconds(30),
                    maxResponseByteCount: 10_000_000))
            #expect(response.text == body)
            try await answering.value
        }
    }

    @Test func `RFC 8446 §6.1: a body that ends without the closure alert is truncated`() async throws {
        let server = try TLSServerProcess(certificate: "localhost", ["-www", "-tls1_2"])
        let cutter = try ScriptedServer { client in
            guard let upstream = ScriptedServer.Peer.connected(to: server.port) else { return }
            let queue = DispatchQueue(label: "upstream")
            queue.async { while let bytes = client.read() { upstream.write(bytes) } }
            upstream.forwardRecords(to: client, upTo: 21)
            client.shutDown()
        }
        let client = try makeClient(roots: certificates.authority, resolver: everywhere)
        await #expect(throws: HTTPClientError.tls(.truncated)) {
            try await client.execute(.init(url: "https://localhost:\(cutter.port)/"))
        }
        cutter.stop()
    }

    @Test(arguments: ReadinessKind.allCases)
    func `RFC 5246 §7.4.1.1: a flood of ignored records does not block the loop`(
        readiness: ReadinessKind
    ) async throws {
        // Records full of HelloRequest, which a client ignores during its handshake.
        let record = [UInt8]([0x16, 3, 3, 0x40, 0]) + [UInt8](repeating: 0, count: 16384)
        let flood = (0..<16).flatMap { _ in record }
        let isOver = Atomic<Bool>(false)
        let server = try ScriptedServer { peer in
            guard peer.read() != nil else { return }
            let end = MonotonicInstant.now() + .seconds(20)
            while !isOver.load(ordering: .relaxed), MonotonicInstant.now() < end { peer.write(flood) }
        }
        let client = try makeClient(readiness, roots: certificates.authority)
        let start = MonotonicInstant.now()
        await #expect(throws: HTTPClientError.timeout(.handshaking)) {
            try await client.execute(
                .init(url: "https://127.0.0.1:\(server.port)/", deadline: .milliseconds(300)))
        }
        isOver.store(true, ordering: .relaxed)
        #expect(MonotonicInstant.now() - start < .seconds(10))
        server.stop()
    }

    @Test func `a server without TLS is refused`() async throws {
        let server = try ScriptedServer { peer in
            peer.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            while peer.read() != nil {}
        }
        let client = try makeClient(roots: certificates.authority)
        let error = await #expect(throws: HTTPClientError.self) {
            try await client.execute(.init(url: "https://127.0.0.1:\(server.port)/"))
        }
        guard case .tls(.protocolFailure) = error ?? .closed else {
            Issue.record("Another error: \(String(describing: error))")
            return
        }
        server.stop()
    }

    @Test
    func
        `a server that closes during the handshake is an error, a silent one exceeds the deadline`()
        async throws
    {
        let server = try ScriptedServer { peer in
            _ = peer.read()
            while peer.number > 0, peer.read() != nil {}
        }
        let client = try makeClient(roots: certificates.authority)
        let url = "https://127.0.0.1:\(server.port)/"
        await #expect(throws: HTTPClientError.tls(.truncated)) { try await client.execute(.init(url: url)) }
        await #expect(throws: HTTPClientError.timeout(.handshaking)) {
            try await client.execute(.init(url: url, deadline: .milliseconds(100)))
        }
        server.stop()
    }
}

@Suite("RFC 7468 Certificates and keys of the client")
struct PEMSourceTests {
    private let certificates: TestCertificates

    init() throws { certificates = try TestCertificates.shared.get() }

    @Test(arguments: ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
    func `roots without a certificate are refused`(text: String) {
        #expect(throws: HTTPClientError.tls(.unusableRoots)) {
            try HTTPClient(validating: .init(roots: .pem(.bytes(Array(text.utf8)))))
        }
    }

    @Test func `roots with one good and one broken certificate are refused`() throws {
        var pem = Array(try Data(contentsOf: URL(fileURLWithPath: certificates.path("ca.pem"))))
        pem += Array("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8)
        #expect(throws: HTTPClientError.tls(.unusableRoots)) {
            try HTTPClient(validating: .init(roots: .pem(.bytes(pem))))
        }
    }

    @Test func `a missing file is refused`() {
        #expect(throws: HTTPClientError.tls(.unusableRoots)) {
            try HTTPClient(validating: .init(roots: .pem(.file(certificates.path("none.pem")))))
        }
        let identity = TLSIdentity(
            certificateChain: .file(certificates.path("none.pem")),
            privateKey: .file(certificates.path("client.key")))
        #expect(throws: HTTPClientError.tls(.unusableCertificate)) {
            try HTTPClient(validating: .init(identity: identity))
        }
    }

    @Test(arguments: ["none.key", "localhost.key", "encrypted.key", "client.pem"])
    func `a key that is missing, another certificate's, encrypted or malformed is refused`(name: String) {
        let identity = TLSIdentity(
            certificateChain: .file(certificates.path("client.pem")),
            privateKey: .file(certificates.path(name)))
        let error = name == "localhost.key" ? TLSError.foreignPrivateKey : .unusablePrivateKey
        #expect(throws: HTTPClientError.tls(error)) {
            try HTTPClient(validating: .init(identity: identity))
        }
    }

    @Test func `a client with unusable roots trusts no server`() async throws {
        let client = HTTPClient(configuration: .init(roots: .pem(.bytes([]))))
        let server = try TLSServerProcess(certificate: "address")
        await #expect(throws: HTTPClientError.tls(.unusableRoots)) {
            try await client.execute(.init(url: "https://127.0.0.1:\(server.port)/"))
        }
    }

    @Test func `a printed source contains no secret`() {
        let source = PEMSource.bytes(Array("secret".utf8))
        let identity = TLSIdentity(certificateChain: .file("/x"), privateKey: source)
        #expect("\(source)" == "PEM bytes")
        #expect(!"\(identity)".contains("secret"))
    }
}
