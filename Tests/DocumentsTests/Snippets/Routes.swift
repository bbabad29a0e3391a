// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer

/// The snippets of the article "Routes and middleware".
struct PhotoRoutes {
    // snippet: groups
    static func declareGroups(_ routes: inout Routes) {
        routes.protect(notes) { notes in
            notes.get("/", requiring: "notes:read") { _, _ in .text("all notes") }
            notes.group("/{id}", requiring: "notes:read") { note in  // for every route in the group
                note.use(RequestLog())
                note.get("/") { request, _ in .text("note \(request.parameters["id"])") }
                note.delete("/", requiring: "notes:write") { _, _ in .noContent }  // needs both scopes
            }
        }
    }
    // end

    // snippet: errors
    struct OutOfStock: Error {}

    static func declareErrors(_ routes: inout Routes) {
        routes.onError { error, _ in
            guard let error = error as? RequestContentError else { return nil }
            return try .json(["message": "\(error)"], status: .unprocessableContent)
        }
        routes.group("/shop") { shop in
            shop.onError { error, _ in
                error is OutOfStock ? .text("out of stock\n", status: .conflict) : nil
            }
            shop.post("/orders") { _ in throw OutOfStock() }
        }
    }
    // end

    // snippet: request-log
    /// Logs each request with its route, and each error that the app does not expect.
    struct RequestLog: Middleware {
        func respond(to request: Request, next: Next) async throws -> Response {
            let route = request.matchedRoute?.pattern ?? "no route"
            let caller = request.token?.subject ?? "nobody"
            do {
                let response = try await next(request)
                print(request.method, route, caller, response.status.code)
                return response
            } catch {
                print(request.method, route, caller, type(of: error))
                throw error  // for onError, or the server's 500
            }
        }
    }
    // end

    // snippet: limits
    static func declareLimits(_ routes: inout Routes) {
        routes.limits.maxBodyByteCount = 16 * 1024
        routes.group("/photos") { photos in
            photos.limits.bodyTimeout = .seconds(60)
            photos.post("/") { request in try await store(request.body) }
                .limits.maxBodyByteCount = 20 * 1024 * 1024
        }
    }
    // end

    @Sendable static func store(_ body: RequestBody) async throws -> Response { .noContent }

    // snippet: query
    @Sendable static func search(_ request: Request) throws -> Response {
        let query = try request.queryParameters  // 400 for more than 256 parameters
        guard let word = query["q"] else { return .text("what?\n", status: .badRequest) }
        return try .json(["q": [word], "tags": query.values(of: "tag")])
    }
    // end
}

/// The snippet of the section "Stop".
func clock(_ routes: inout Routes) {
    // snippet: stopping
    routes.get("/clock") { request in
        .stream(contentType: "text/plain") { writer in
            while !request.stopping.hasBegun {
                try await writer.write("\(ContinuousClock.now)\n")
                try await Task.sleep(for: .seconds(1))
            }
        }
    }
    // end
}

/// The snippet of the section "An app's own metrics".
func counted(_ routes: inout Routes) {
    // snippet: own-metrics
    let metrics = MetricsRegistry()
    let created = metrics.counter("notes_created", help: "Notes created.", labels: ["kind"])
    let imports = metrics.histogram("import_seconds", help: "How long imports take.")
    routes.post("/notes") { _ in
        created.increment("draft")
        return .noContent
    }
    routes.post("/imports") { _ async in
        let duration = await ContinuousClock().measure { await Task.yield() }
        imports.observe(duration)
        return .noContent
    }
    // end
}
