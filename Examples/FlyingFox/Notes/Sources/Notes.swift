// SPDX-License-Identifier: MIT

// snippet: flyingfox-app
import FlyingFox
import FlyingSocks
import Portcullis

/// Makes a server with notes that need a token, and a public page.
public func notesServer(_ resources: ResourceRegistry, port: UInt16) throws -> HTTPServer {
    let guarded = GuardedRoutes(resources)
    guarded.require("notes:read", toWrite: "notes:write", below: "/notes")

    var routes = RoutedHTTPHandler()
    routes.appendRoute("GET /health") { _ in HTTPResponse(statusCode: .ok) }
    routes.appendRoute("GET /notes/events") { _ in
        HTTPResponse(statusCode: .ok, body: HTTPBodySequence(from: Lines(count: 3)))
    }
    routes.appendRoute("GET /notes/:id") { request in
        let note = "note \(request.routeParameters["id"] ?? "") of \(Gate.token?.subject ?? "")"
        return HTTPResponse(statusCode: .ok, body: .init(note.utf8))
    }
    routes.appendRoute("POST /notes") { request in
        HTTPResponse(statusCode: .created, body: try await request.bodyData)
    }
    routes.appendRoute("DELETE /notes/:id") { _ in
        try Gate.token?.require("notes:admin")
        return HTTPResponse(statusCode: .noContent)
    }
    let gate = Gate(guarded: guarded, routes: routes)
    return HTTPServer(address: try .inet(ip4: "127.0.0.1", port: port), handler: gate)
}
// end

/// A stream of numbered lines.
struct Lines: AsyncBufferedSequence {
    typealias Element = UInt8
    let count: Int

    func makeAsyncIterator() -> Iterator { Iterator(count: count) }

    struct Iterator: AsyncBufferedIteratorProtocol {
        let count: Int
        private var line = 0

        init(count: Int) {
            self.count = count
        }

        mutating func next() async -> UInt8? { nil }

        mutating func nextBuffer(suggested: Int) async throws -> [UInt8]? {
            guard line < count else { return nil }
            line += 1
            return Array("line \(line)\n".utf8)
        }
    }
}
