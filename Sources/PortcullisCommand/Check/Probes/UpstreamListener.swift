// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisServer
import Synchronization

/// A server in the place of a gateway's upstream, which sees the fields that arrive there.
package struct UpstreamListener: Sendable {
    /// The fields of one request, in order.
    package typealias Arrival = [(name: String, value: String)]

    private let socket: ServerSocket

    /// Takes the place; `nil` if it is taken or not on this machine.
    package init?(host: String, port: Int) {
        guard let socket = try? ServerSocket(host: host, port: port, loopCount: 1) else { return nil }
        self.socket = socket
    }

    /// The port.
    package var port: Int { socket.address.port }

    /// Serves during a call, and returns the requests that arrived meanwhile.
    package func arrivals(during call: @escaping @Sendable () async -> Void) async -> [Arrival] {
        let arrivals = Arrivals()
        var routes = Routes()
        routes.on([.get, .post], "/{rest...}") { request in
            arrivals.append(Array(request.fields))
            return Response(status: .ok)
        }
        var configuration = Server.Configuration()
        configuration.eventLoopCount = 1
        guard let server = try? Server(validating: routes, on: socket, configuration: configuration) else {
            return []
        }
        let (listening, begun) = AsyncStream<Void>.makeStream()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                try? await server.run { _ in begun.yield() }
                begun.finish()
            }
            for await _ in listening {
                await call()
                break
            }
            group.cancelAll()
        }
        return arrivals.all
    }

    private final class Arrivals: Sendable {
        private let list = Mutex<[Arrival]>([])

        var all: [Arrival] { list.withLock { $0 } }

        func append(_ arrival: Arrival) { list.withLock { $0.append(arrival) } }
    }
}
