// SPDX-License-Identifier: MIT

import PortcullisTransport
import Testing

@Suite("Listening sockets")
struct ListeningSocketsTests {
    @Test func `port 0 takes a free port, the same for every loop`() throws {
        let sockets = try ListeningSockets(host: "127.0.0.1", port: 0, count: 3)
        defer { for descriptor in sockets.descriptors { _ = closeDescriptor(descriptor) } }
        #expect(sockets.descriptors.count == 3)
        #expect(sockets.address.port > 0)
        #expect(sockets.address.host == "127.0.0.1")
        #expect(sockets.address.isLoopback)
    }

    @Test(arguments: [1, 2])
    func `a port in use is an error, although the other shares it`(count: Int) throws {
        let first = try ListeningSockets(host: "127.0.0.1", port: 0, count: 2)
        defer { for descriptor in first.descriptors { _ = closeDescriptor(descriptor) } }
        let error = #expect(throws: SocketError.self) {
            try ListeningSockets(host: "127.0.0.1", port: first.address.port, count: count)
        }
        #expect(error?.call == .bind)
        #expect(error?.isAddressInUse == true)
    }

    @Test func `the server can listen on IPv6 loopback`() throws {
        let sockets = try ListeningSockets(host: "::1", port: 0, count: 1)
        defer { for descriptor in sockets.descriptors { _ = closeDescriptor(descriptor) } }
        #expect(sockets.address.description == "[::1]:\(sockets.address.port)")
        #expect(sockets.address.isLoopback)
    }

    @Test func `a host without an address is a resolution error`() {
        let error = #expect(throws: SocketError.self) {
            try ListeningSockets(host: "999.999.999.999", port: 0, count: 1)
        }
        #expect(error?.call == .resolve)
    }

    @Test(arguments: [-1, 65_536, 80_800, 65_536 + 8080, .min, .max])
    func `a port out of range is an error, and no other port is used`(port: Int) {
        let listening = #expect(throws: SocketError.self) {
            try ListeningSockets(host: "127.0.0.1", port: port, count: 1)
        }
        #expect(listening == .noSuchPort)
        #expect(listening?.description == "resolve: a port is a number from 0 to 65535")
        let connecting = #expect(throws: SocketError.self) {
            try SocketAddress.resolve(host: "127.0.0.1", port: port)
        }
        #expect(connecting == .noSuchPort)
    }
}
