// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTransport
import Testing

@Suite("The port of a server")
struct PortTests {
    static let wrong = [-1, 65_536, 80_800, .min, .max]

    @Test(arguments: wrong)
    func `a port out of range is a wrong configuration`(port: Int) {
        for host in ["127.0.0.1", "unix:/tmp/never.sock"] {
            let error = #expect(throws: ConfigurationError.self) {
                try Server(validating: Routes(), host: host, port: port)
            }
            #expect(error?.description == "The port of a server is a number from 0 to 65535.")
            #expect(throws: SocketError.noSuchPort) { try ServerSocket(host: host, port: port) }
        }
    }

    @Test func `a port out of range is reported together with the routes' problems`() {
        var routes = Routes()
        routes.get("no slash") { _ in .ok }
        let error = #expect(throws: ConfigurationError.self) { try Server(validating: routes, port: 80_800) }
        #expect((error?.problems.count ?? 0) > 1)
    }

    @Test(arguments: [0, 1, 8080, 65_535]) func `any other port is accepted`(port: Int) {
        #expect(throws: Never.self) { try Server(validating: Routes(), port: port) }
    }

    #if os(Linux) || os(macOS)
        @Test func `a port out of range in a program's declaration traps with its message`() async {
            let result = await #expect(
                processExitsWith: .failure, observing: [\.standardErrorContent]
            ) {
                _ = Server(port: 80_800) { _ in }
            }
            let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(text.contains("The port of a server is a number from 0 to 65535."))
        }
    #endif
}
