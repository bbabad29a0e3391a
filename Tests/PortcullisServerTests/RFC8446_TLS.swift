// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisServer
import PortcullisTesting
import PortcullisTransport
import Testing

@Suite("RFC 8446 The server under TLS", .timeLimit(.minutes(2)))
struct RFC8446_TLS {
    let identities: TestIdentities

    init() throws { identities = try TestIdentities.shared.get() }

    private func setup(
        _ readiness: ReadinessKind = .preferred, clients: ClientCertificates = .none,
        limits: Server.Limits = Server.Limits(), metrics: (any ServerMetrics)? = nil
    ) throws -> RunningServer.Setup {
        var setup = RunningServer.Setup(readiness: readiness, limits: limits, metrics: metrics)
        setup.tls = try identities.tls(clients: clients)
        return setup
    }

    private func declare(_ routes: inout Routes) {
        routes.get("/hello") { _ in .text("Hello\n") }
        routes.on([.post], "/echo") { request in
            .bytes(try await request.body.collect(), contentType: "application/octet-stream")
        }
        routes.get("/stream") { _ in
            .stream(contentType: "text/plain") { writer in
                for index in 0..<100 { try await writer.write("line \(index)\n") }
            }
        }
        routes.get("/cut") { _ in
            .stream(contentType: "text/plain") { writer in
                try await writer.write("begin")
                throw CancellationError()
            }
        }
        routes.get("/large") { _ in .bytes(.init(repeating: 7, count: 3_000_000), contentType: "a/b") }
    }

    private func client(
        _ server: RunningServer, showing name: String? = nil, receiveBuffer: Int32? = nil
    ) async throws -> RawClient {
        let client = try server.client(receiveBuffer: receiveBuffer, timeout: .seconds(20))
        try await client.secure(try identities.client(showing: name))
        return client
    }

    // MARK: HTTP over TLS

    @Test(arguments: ReadinessKind.allCases)
    func `requests are answered in order on one connection, also pipelined`(_ kind: ReadinessKind)
        async throws
    {
        try await withServer(try setup(kind), declare) { server in
            let client = try await client(server)
            #expect(try await client.exchange(request("GET", "/hello")).text == "Hello\n")
            try await client.send(
                request("GET", "/stream") + request("GET", "/nowhere") + request("GET", "/hello"))
            #expect(try await client.reply().chunks?.count == 100)
            #expect(try await client.reply().status == 404)
            #expect(try await client.reply().text == "Hello\n")
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `large bodies arrive in both directions`(_ kind: ReadinessKind) async throws {
        try await withServer(try setup(kind), declare) { server in
            let client = try await client(server)
            let body = (0..<900_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            try await client.send(request("POST", "/echo", ["Content-Length: \(body.count)"]))
            try await client.send(body)
            #expect(try await client.reply(to: "POST").body == body)
            #expect(try await client.exchange(request("GET", "/hello")).status == 200)
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a large answer arrives whole at a slow reader`(_ kind: ReadinessKind) async throws {
        try await withServer(try setup(kind), declare) { server in
            let client = try await client(server, receiveBuffer: 4096)
            try await client.send(request("GET", "/large") + request("GET", "/hello"))
            try await Task.sleep(for: .milliseconds(200))
            let reply = try await client.reply()
            #expect(reply.body.count == 3_000_000 && reply.body.allSatisfy { $0 == 7 })
            #expect(try await client.reply().text == "Hello\n")
        }
    }

    @Test func `a port without TLS answers a ClientHello with 400, and counts it`() async throws {
        let metrics = MetricsRegistry()
        try await withServer(RunningServer.Setup(metrics: metrics), declare) { server in
            let client = try server.client()
            await #expect(throws: RawClient.Failure.self) {
                try await client.secure(try identities.client())
            }
            #expect(
                await eventually {
                    metrics.openMetricsText.contains("tls_handshakes_total{outcome=\"unexpected\"} 1")
                })
            #expect(try await server.get("/hello").status == 200)
        }
    }

    // MARK: §4 the handshake

    @Test func `§4.1.2: a ClientHello that announces more than 16 KiB is refused at once`() async throws {
        try await withServer(try setup(), declare) { server in
            let client = try server.client()
            try await client.send([22, 3, 1, 0x40, 0x00, 1, 0x00, 0x40, 0x01])
            #expect(await client.rest().ending == .closed)
        }
    }

    @Test func `§4.1.2: a ClientHello in small pieces is accepted`() async throws {
        try await withServer(try setup(), declare) { server in
            let client = try server.client()
            for byte: UInt8 in [22, 3, 1, 0, 60, 1, 0, 0, 56, 3] {
                try await client.send([byte])
                try await Task.sleep(for: .milliseconds(2))
            }
            try await client.send([UInt8](repeating: 0, count: 70))
            // The content is nonsense, and the alert says so. RFC 8446 §6.
            let rest = await client.rest()
            #expect(rest.bytes.first == 21 && rest.ending == .closed)
        }
    }

    @Test(arguments: [[], [22], [22, 3, 1, 2, 0, 1, 0]] as [[UInt8]])
    func `a handshake that is not finished within the header's deadline ends`(bytes: [UInt8]) async throws {
        var limits = Server.Limits()
        limits.headerTimeout = .milliseconds(200)
        let metrics = MetricsRegistry()
        try await withServer(try setup(limits: limits, metrics: metrics), declare) { server in
            let client = try server.client()
            try await client.send(bytes)
            let rest = await client.rest()
            #expect(rest.bytes == [] && rest.ending != .timedOut)
            #expect(metrics.openMetricsText.contains("timeouts_total{kind=\"header\"} 1"))
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a request without TLS gets an answer in plain HTTP`(_ kind: ReadinessKind) async throws {
        let metrics = MetricsRegistry()
        try await withServer(try setup(kind, metrics: metrics), declare) { server in
            let client = try server.client()
            let reply = try await client.exchange(request("GET", "/hello"))
            #expect(reply.status == 400 && reply.closes && reply.text.contains("HTTPS"))
            #expect(await client.rest().ending == .closed)
            #expect(metrics.openMetricsText.contains("tls_handshakes_total{outcome=\"plaintext\"} 1"))
        }
    }

    @Test(arguments: [0x00, 0x20, 0x80, 0xFF] as [UInt8])
    func `bytes that are neither TLS nor HTTP get no answer`(first: UInt8) async throws {
        try await withServer(try setup(), declare) { server in
            let client = try server.client()
            try await client.send([first] + Array("abcdefgh".utf8))
            #expect(await client.rest() == ([], .closed))
        }
    }

    // MARK: §4.4.2 certificates of clients

    private func declareShowing(_ routes: inout Routes) {
        routes.get("/certificate") { request in
            .bytes(request.clientCertificate ?? [], contentType: "application/pkix-cert")
        }
    }

    @Test func `a client's certificate is in its requests`() async throws {
        let authority = identities.pem("ca")
        for clients in [ClientCertificates.request(issuedBy: authority), .require(issuedBy: authority)] {
            try await withServer(try setup(clients: clients), declareShowing) { server in
                let client = try await client(server, showing: "client")
                for _ in 0..<2 {
                    let reply = try await client.exchange(request("GET", "/certificate"))
                    let der = try identities.der("client")
                    #expect(reply.body == der)
                }
            }
        }
    }

    // RFC 9440 §2: only proxies that send certificates in a field stand between client and certificate.
    @Test(arguments: [false, true])
    func `a certificate from the address of a trusted proxy counts unless proxies send it in a field`(
        sendsField: Bool
    ) async throws {
        var setup = try setup(clients: .request(issuedBy: identities.pem("ca")))
        let proxies = try TrustedProxies(["127.0.0.1"], sendsClientCertificates: sendsField)
        setup.configure = { $0.proxies = proxies }
        try await withServer(setup, declareShowing) { server in
            let client = try await client(server, showing: "client")
            let reply = try await client.exchange(request("GET", "/certificate"))
            let expected = sendsField ? [] : try identities.der("client")
            #expect(reply.body == expected)
        }
    }

    @Test func `with optional client certificates a client may have none, and by default it is not asked`()
        async throws
    {
        try await withServer(try setup(clients: .request(issuedBy: identities.pem("ca"))), declareShowing) {
            let reply = try await client($0).exchange(request("GET", "/certificate"))
            #expect(reply.body == [])
        }
        try await withServer(try setup(), declareShowing) { server in
            let client = try await client(server, showing: "client")
            #expect(try await client.exchange(request("GET", "/certificate")).body == [])
        }
    }

    @Test(arguments: [nil, "self-signed", "expired-client", "server"])
    func `a client without a certificate of a required authority is refused`(name: String?) async throws {
        let clients = ClientCertificates.require(issuedBy: identities.pem("ca"))
        try await withServer(
            try setup(
                clients: name == "server" ? .require(issuedBy: identities.pem("self-signed")) : clients),
            declareShowing
        ) { server in
            // In TLS 1.3 the client learns this after its own part of the handshake.
            _ = await #expect(throws: (any Error).self) {
                let client = try await client(server, showing: name)
                _ = try await client.exchange(request("GET", "/certificate"))
            }
        }
    }

    @Test(arguments: ["self-signed", "expired-client", "client"])
    func `without authorities every certificate is accepted, RFC 8705 §2.2`(name: String) async throws {
        try await withServer(try setup(clients: .request()), declareShowing) { server in
            let client = try await client(server, showing: name)
            #expect(
                try await client.exchange(request("GET", "/certificate")).body == identities.der(name))
        }
    }

    // MARK: §6.1 closure alerts

    @Test func `the end of a connection sends a closure alert`() async throws {
        try await withServer(try setup(), declare) { server in
            let client = try await client(server)
            #expect(try await client.exchange(request("GET", "/hello", ["Connection: close"])).closes)
            #expect(await client.rest() == ([], .closed))
        }
    }

    @Test func `an answer that is delimited by the connection and cut gets no closure alert`() async throws {
        try await withServer(try setup(), declare) { server in
            let client = try await client(server)
            try await client.send("GET /cut HTTP/1.0\r\n\r\n")
            let rest = await client.rest()
            #expect(String(decoding: rest.bytes, as: UTF8.self).hasSuffix("begin"))
            #expect(rest.ending == .reset, "not a closure alert, which would make it look whole")
        }
    }

    @Test(arguments: [true, false])
    func `a client that half-closes gets its answers, also without an alert, RFC 9112 §9.8`(
        withAlert: Bool
    ) async throws {
        try await withServer(try setup(), declare) { server in
            let client = try await client(server)
            try await client.send(request("GET", "/large") + request("GET", "/hello"))
            if withAlert { await client.sendClosureAlert() } else { client.endWriting() }
            #expect(try await client.reply().body.count == 3_000_000)
            #expect(try await client.reply().text == "Hello\n")
            #expect(await client.rest() == ([], .closed))
        }
    }

    @Test func `a handler is cancelled when the client of its stream leaves`() async throws {
        let left = Gate()
        try await withServer(
            try setup(),
            { routes in
                routes.get("/events") { _ in
                    .stream(contentType: "text/event-stream") { writer in
                        defer { left.open() }
                        try await writer.write("data: 1\n\n")
                        try await Task.sleep(for: .seconds(600))
                    }
                }
            }
        ) { server in
            let client = try await client(server)
            try await client.send(request("GET", "/events"))
            _ = try await client.receive(atLeast: 1)
            await client.sendClosureAlert()
            client.close()
            await left.wait()
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `draining finishes requests in flight, and sends idle clients a closure alert`(_ kind: ReadinessKind)
        async throws
    {
        let (begun, mayEnd) = (Gate(), Gate())
        var setup = try setup(kind)
        setup.grace = .seconds(20)
        try await withServer(
            setup,
            { routes in
                declare(&routes)
                routes.get("/slow") { _ in
                    begun.open()
                    await mayEnd.wait()
                    return .text("done")
                }
            }
        ) { server in
            let (idle, busy) = (try await client(server), try await client(server))
            #expect(try await idle.exchange(request("GET", "/hello")).status == 200)
            try await busy.send(request("GET", "/slow"))
            await begun.wait()
            server.cancel()
            #expect(await idle.rest() == ([], .closed))
            mayEnd.open()
            let reply = try await busy.reply()
            #expect(reply.text == "done" && reply.closes)
            #expect(await busy.rest() == ([], .closed))
            try await server.ended()
        }
    }

    @Test(arguments: [[], [22, 3, 1, 2, 0, 1, 0]] as [[UInt8]])
    func `draining does not wait long for unfinished handshakes`(bytes: [UInt8]) async throws {
        var setup = try setup()
        setup.grace = .seconds(60)
        try await withServer(setup, declare) { server in
            let client = try server.client(timeout: .seconds(20))
            try await client.send(bytes)
            // When another connection has been served, the server has seen this one.
            #expect(try await self.client(server).exchange(request("GET", "/hello")).status == 200)
            server.cancel()
            #expect(await client.rest().ending != .timedOut)
            try await server.ended()
        }
    }

    @Test(arguments: ReadinessKind.allCases)
    func `a handshake in flight when the server stops is followed by its request`(
        _ kind: ReadinessKind
    ) async throws {
        var setup = try setup(kind)
        setup.grace = .seconds(20)
        var isTimely = false
        // A client that a busy machine starts later than the server waits has shown nothing.
        for _ in 0..<20 where !isTimely {
            try await withServer(setup, declare) { server in
                let early = try server.client()
                // When another connection has been served, the server has seen this one.
                #expect(try await client(server).exchange(request("GET", "/hello")).status == 200)
                let stopped = ContinuousClock.now
                server.cancel()
                try await Task.sleep(for: .milliseconds(20))
                do {
                    try await early.secure(try identities.client())
                    let reply = try await early.exchange(request("GET", "/hello"))
                    #expect(reply.status == 200 && reply.closes)
                    isTimely = true
                } catch {
                    isTimely = ContinuousClock.now - stopped < Server.Limits.partingTime
                    if isTimely { throw error }
                }
                try await server.ended()
            }
        }
        #expect(isTimely)
    }

    // MARK: Certificates of the server

    @Test func `new connections get a renewed certificate, and open ones continue`() async throws {
        try await withServer(try setup(), declare) { server in
            let old = try await client(server)
            #expect(try await old.exchange(request("GET", "/hello")).status == 200)
            let context = try identities.client()
            let early = try server.client()
            await #expect(throws: RawClient.Failure.self) {
                try await early.secure(context, as: "renewed.example")
            }
            await server.replaceTLS(try identities.tls("renewed"))
            try await server.client().secure(context, as: "renewed.example")
            #expect(try await old.exchange(request("GET", "/hello")).status == 200)
        }
    }

    @Test func `replacing limits leaves TLS unchanged`() async throws {
        try await withServer(try setup(), declare) { server in
            var routes = Routes()
            declare(&routes)
            var limits = Server.Limits()
            limits.maxTargetByteCount = 100
            try await server.replace(routes, limits: limits)
            #expect(try await client(server).exchange(request("GET", "/hello")).status == 200)
        }
    }

    @Test(arguments: [
        ("none", "server", TLSError.unusableCertificate), ("server", "none", .unusablePrivateKey),
        ("server", "client", .foreignPrivateKey),
    ])
    func `files that cannot be used are refused`(certificate: String, key: String, error: TLSError) {
        #expect(throws: error) {
            try Server.TLS(
                TLSIdentity(
                    certificateChain: identities.pem(certificate),
                    privateKey: .file(identities.path(key + ".key"))))
        }
    }

    @Test func `authorities that cannot be read are refused`() {
        for clients in [
            ClientCertificates.request(issuedBy: .bytes([])), .require(issuedBy: identities.pem("none")),
        ] {
            #expect(throws: TLSError.unusableRoots) { try identities.tls(clients: clients) }
        }
    }

    @Test func `an expired certificate is served with a warning`() async throws {
        #expect(try identities.tls().warnings == [])
        let expired = try identities.tls("expired")
        #expect(expired.warnings == ["the certificate has expired; clients will refuse it"])
        var setup = try setup()
        setup.tls = expired
        try await withServer(setup, declare) { server in
            #expect(server.log.sentences.contains("warning: " + expired.warnings[0]))
        }
    }

    @Test
    func `a resource with bound tokens on a server without client certificates is a warning, RFC 8705 §3`()
        async throws
    {
        let issuer = TestIssuer("https://login.example.com")
        var metadata = ProtectedResourceMetadata(resource: "https://api.example.com/notes")
        metadata.tlsClientCertificateBoundAccessTokens = true
        let notes = try ProtectedResource(validating: .init(metadata, trusting: [issuer.trusted]))
        for (clients, isWarnedOf) in [
            (ClientCertificates.none, true), (.request(issuedBy: nil), false),
        ] {
            var setup = try setup()
            setup.tls = try identities.tls(clients: clients)
            try await withServer(setup, { $0.protect(notes) { _ in } }) { server in
                let isThere = server.log.sentences.contains { $0.contains("announces tokens that are bound") }
                #expect(isThere == isWarnedOf)
            }
        }
    }

    @Test func `the hosts of a certificate are read, RFC 9525 §6`() throws {
        let tls = try identities.tls("renewed")
        #expect(tls.covers(host: "localhost") && tls.covers(host: "RENEWED.example"))
        #expect(!tls.covers(host: "127.0.0.1") && !tls.covers(host: "example"))
    }
}
