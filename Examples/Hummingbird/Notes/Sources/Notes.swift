// SPDX-License-Identifier: MIT

// snippet: hummingbird-app
import Hummingbird
import Portcullis

struct NotesContext: GuardedContext {
    var coreContext: CoreRequestContextStorage
    var token: AccessToken?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
    }
}

/// Makes a server with notes that need a token, and a public page.
public func notesServer(
    _ resources: ResourceRegistry, at address: BindAddress,
    onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
) -> some ApplicationProtocol {
    let guarded = GuardedRoutes(resources)
    guarded.require("notes:read", toWrite: "notes:write", below: "/notes")

    let router = Router(context: NotesContext.self)
    router.add(middleware: Gate(guarded: guarded))  // before all routes
    router.get("health") { _, _ in "fine" }

    let notes = router.group("notes")
    notes.get("events") { _, _ in
        Response(
            status: .ok,
            body: ResponseBody { writer in
                for line in 1...3 { try await writer.write(ByteBuffer(string: "line \(line)\n")) }
                try await writer.finish(nil)
            })
    }
    notes.get("{id}") { _, context in
        "note \(context.parameters.get("id") ?? "") of \(context.token?.subject ?? "")"
    }
    notes.post { request, context in
        let body = try await request.body.collect(upTo: context.maxUploadSize)
        return Response(status: .created, body: ResponseBody(byteBuffer: body))
    }
    notes.delete("{id}") { _, context in
        try context.token?.require("notes:admin")
        return HTTPResponse.Status.noContent
    }
    return Application(
        router: router, configuration: ApplicationConfiguration(address: address),
        onServerRunning: { channel in onListening(channel.localAddress?.port ?? 0) })
}
// end
