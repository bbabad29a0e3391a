// SPDX-License-Identifier: MIT

import PortcullisServer
import PortcullisTesting
import Testing

@Suite("RFC 9111 §3.5 Guarded answers are not for shared caches")
struct RFC9111_3_5_GuardedAnswers {
    @Test func `guarded answers are not stored unless the handler allows it`() async throws {
        let site = GuardedSite()
        let resource = try site.resource("https://h/p")
        try await withServer(
            .init(),
            { routes in
                routes.protect(resource) { block in
                    block.get("/plain") { _, _ in .text("x") }
                    block.get("/own") { _, _ in
                        var response = Response.text("x")
                        response.fields[.cacheControl] = "private, max-age=60"
                        return response
                    }
                    block.get("/waits") { _, _ in
                        await Task.yield()
                        return .text("x")
                    }
                    block.get("/fails") { _, _ in throw CancellationError() }
                }
                routes.get("/public") { _ in .text("x") }
            }
        ) { (server) async throws in
            let bearer = site.bearer(for: "https://h/p")
            for path in ["/p/plain", "/p/waits", "/p/fails", "/p/none"] {
                // First verified, then cached: both paths through the gate.
                for _ in 0..<2 {
                    #expect(
                        try await server.get(path, bearer).all("cache-control") == ["no-store"], "\(path)")
                }
            }
            for _ in 0..<2 {
                #expect(
                    try await server.get("/p/own", bearer).all("cache-control") == ["private, max-age=60"])
            }
            #expect(try await server.get("/public").all("cache-control") == [])
        }
    }
}
