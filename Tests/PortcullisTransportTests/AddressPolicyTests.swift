// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisTransport
import Synchronization
import Testing

@Suite("RFC 9728 §7.7 Addresses that a client may connect to")
struct AddressPolicyTests {
    static func bytes(_ text: String) throws -> [UInt8] {
        let host = text.contains(":") ? "[\(text)]" : text
        return try #require(try RequestURL("https://\(host)/").origin.address)
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "169.253.0.1", "172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.0.1",
        "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2001:4860:4860::8888",
        "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
    ])
    func `public addresses are accepted`(address: String) throws {
        #expect(AddressPolicy.publicOnly.permits(try Self.bytes(address)))
    }

    @Test(arguments: [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
        "127.255.255.255", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1",
        "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
        "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd12::1",
        "ff02::1", "2001:db8::1", "2001::1", "2001:10::1", "2002:7f00:1::1", "3fff::1", "4000::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1",
        "100::1",
    ])
    func `addresses of this machine, its network and special-purpose blocks are refused`(address: String)
        throws
    {
        #expect(!AddressPolicy.publicOnly.permits(try Self.bytes(address)))
        #expect(AddressPolicy.any.permits(try Self.bytes(address)))
    }

    static func error(_ url: String, resolver: Resolver = Resolver()) async -> HTTPClientError? {
        let client = HTTPClient(
            configuration: .init(addresses: .publicOnly), loops: nil, resolver: resolver)
        do throws(HTTPClientError) {
            _ = try await client.execute(.init(url: url))
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: ["http://127.0.0.1", "http://localhost", "http://[::ffff:127.0.0.1]"])
    func `a server on this machine is refused`(host: String) async throws {
        let server = try ScriptedServer.repeating { peer, _ in peer.answer() }
        #expect(await Self.error("\(host):\(server.port)/") == .forbiddenAddress)
        #expect(server.connectionCount == 0)
        server.stop()
    }

    @Test func `the policy checks the addresses that are connected to`() async throws {
        let server = try ScriptedServer.repeating { peer, _ in peer.answer() }
        let count = Mutex(0)
        // Whatever an earlier resolution returned, this one counts; and there is no second one.
        let resolver = Resolver(lifetime: .zero) { _, port in
            count.withLock { $0 += 1 }
            return Result { () throws(SocketError) in
                try SocketAddress.resolve(host: "127.0.0.1", port: port)
                    + SocketAddress.resolve(host: "169.254.169.254", port: port)
            }
        }
        for _ in 0..<3 {
            let error = await Self.error("http://rebinding.example:\(server.port)/", resolver: resolver)
            #expect(error == .forbiddenAddress)
        }
        #expect(count.withLock { $0 } == 3)
        #expect(server.connectionCount == 0)
        server.stop()
    }
}
