// SPDX-License-Identifier: MIT

import Dispatch
import PortcullisHTTP
import PortcullisTransport
import Synchronization
import Testing

@Suite("RFC 5280 §6.1.1 The system's trust anchors, loaded on demand", .timeLimit(.minutes(1)))
struct SystemRootsTests {
    private let certificates: TestCertificates

    init() throws { certificates = try TestCertificates.shared.get() }

    /// Replaces the system's trust anchors, and counts how often they are loaded.
    private final class Readings: Sendable {
        let count = Atomic<Int>(0)
        /// The number of loads that fail before one succeeds.
        let failures: Int
        /// Blocks the load.
        let gate = DispatchSemaphore(value: 0)

        init(failures: Int = 0, isOpen: Bool = true) {
            self.failures = failures
            if isOpen { open() }
        }

        func open() { for _ in 0..<100 { gate.signal() } }

        func roots(_ source: PEMSource) -> SystemRoots {
            SystemRoots { () throws(TLSError) in
                self.gate.wait()
                let index = self.count.add(1, ordering: .sequentiallyConsistent).oldValue
                if index < self.failures { throw .unusableRoots }
                return try TrustStore(source)
            }
        }

        var value: Int { count.load(ordering: .sequentiallyConsistent) }
    }

    private func roots(_ readings: Readings) -> SystemRoots {
        readings.roots(.file(certificates.path("ca.pem")))
    }

    private func client(
        _ systemRoots: SystemRoots, on loops: EventLoopGroup? = nil, identity: TLSIdentity? = nil
    ) throws -> HTTPClient {
        HTTPClient(
            configuration: .init(identity: identity), loops: try loops ?? EventLoopGroup(count: 1),
            systemRoots: systemRoots)
    }

    private func url(_ server: TLSServerProcess) -> HTTPClient.Request {
        .init(url: "https://127.0.0.1:\(server.port)/", deadline: .seconds(30))
    }

    @Test func `the first exchange over https loads them, later ones and other clients share them`()
        async throws
    {
        let server = try TLSServerProcess(certificate: "address")
        let readings = Readings()
        let roots = roots(readings)
        for client in [try client(roots), try client(roots)] {
            for _ in 0..<2 { #expect(try await client.execute(url(server)).status == .ok) }
        }
        #expect(readings.value == 1)
    }

    @Test func `a client that is made later loads them again`() async throws {
        let server = try TLSServerProcess(certificate: "address")
        let readings = Readings()
        let roots = roots(readings)
        for count in 1...2 {
            let client = try client(roots)
            for _ in 0..<2 { #expect(try await client.execute(url(server)).status == .ok) }
            #expect(readings.value == count)
        }
    }

    @Test func `concurrent exchanges share one load`() async throws {
        let server = try TLSServerProcess(certificate: "address")
        let readings = Readings(isOpen: false)
        let roots = roots(readings)
        let clients = [try client(roots), try client(roots)]
        try await withThrowingTaskGroup(of: HTTPClient.Response.self) { group in
            for client in clients + clients { group.addTask { try await client.execute(url(server)) } }
            readings.open()
            for try await response in group { #expect(response.status == .ok) }
        }
        #expect(readings.value == 1)
    }

    @Test func `a plain exchange never loads them`() async throws {
        let server = try ScriptedServer.repeating { peer, _ in peer.answer("hello") }
        defer { server.stop() }
        let readings = Readings(failures: .max)
        let client = try client(roots(readings))
        #expect(try await client.execute(.init(url: "http://127.0.0.1:\(server.port)/")).text == "hello")
        #expect(readings.value == 0)
    }

    @Test func `configured roots are used without the system's`() async throws {
        let server = try TLSServerProcess(certificate: "address")
        let readings = Readings(failures: .max)
        let client = HTTPClient(
            configuration: .init(roots: certificates.authority), loops: try EventLoopGroup(count: 1),
            systemRoots: roots(readings))
        #expect(try await client.execute(url(server)).status == .ok)
        #expect(readings.value == 0)
    }

    @Test func `a loop continues while they load, and deadlines count`() async throws {
        let plain = try ScriptedServer.repeating { peer, _ in peer.answer("hello") }
        defer { plain.stop() }
        let server = try TLSServerProcess(certificate: "address")
        let readings = Readings(isOpen: false)
        defer { readings.open() }
        let client = try client(roots(readings))
        await #expect(throws: HTTPClientError.timeout(.preparing)) {
            try await client.execute(
                .init(url: "https://127.0.0.1:\(server.port)/", deadline: .milliseconds(50)))
        }
        #expect(try await client.execute(.init(url: "http://127.0.0.1:\(plain.port)/")).text == "hello")
        #expect(readings.value == 0)
        readings.open()
        #expect(try await client.execute(url(server)).status == .ok)
    }

    @Test func `a failure to load fails the exchange, and is not cached`() async throws {
        let server = try TLSServerProcess(certificate: "address")
        let readings = Readings(failures: 1)
        let client = try client(roots(readings))
        await #expect(throws: HTTPClientError.tls(.unusableRoots)) { try await client.execute(url(server)) }
        #expect(try await client.execute(url(server)).status == .ok)
        #expect(readings.value == 2)
    }

    @Test func `a server without a trusted root is refused`() async throws {
        let server = try TLSServerProcess(certificate: "address")
        let client = try client(Readings().roots(.file(certificates.path("other-ca.pem"))))
        await #expect(throws: HTTPClientError.tls(.certificateRefused(.unknownIssuer))) {
            try await client.execute(url(server))
        }
    }

    @Test func `RFC 8705 §2: the client's own certificate is read at once, and presented`() async throws {
        let arguments = [
            "-www", "-Verify", "1", "-verify_return_error", "-CAfile", certificates.path("ca.pem"),
        ]
        let server = try TLSServerProcess(certificate: "address", arguments)
        let identity = TLSIdentity(
            certificateChain: .file(certificates.path("client.pem")),
            privateKey: .file(certificates.path("client.key")))
        let client = try client(roots(Readings()), identity: identity)
        let response = try await client.execute(url(server))
        #expect(response.text.contains("CN=client") || response.text.contains("CN = client"))
    }

    @Test func `a client that is released while they load leaves nothing waiting`() async throws {
        let readings = Readings(isOpen: false)
        let waiting = Task { [roots = roots(readings)] in
            let client = try client(roots)
            return try await client.execute(.init(url: "https://127.0.0.1:9/", deadline: .seconds(30)))
        }
        waiting.cancel()
        await #expect(throws: HTTPClientError.cancelled) { try await waiting.value }
        readings.open()
    }
}
