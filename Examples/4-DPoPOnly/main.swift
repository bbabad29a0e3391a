// SPDX-License-Identifier: MIT

// Only tokens that are bound to a key of the client: a stolen token is useless without the key.

import PortcullisServer
import PortcullisTesting

let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 8080
let origin = "http://127.0.0.1:\(port)"

// An authorization server for this example, in the same process. In production it is somebody else's.
var settings = TestAuthorizationServer.Configuration(issuer: "\(origin)/login")
settings.scopes = ["notes:read", "notes:write"]
let login = try TestAuthorizationServer(settings)
login.register(clientID: "app", secret: "app-secret")

var trusted = TrustedIssuer.jwt(issuer: login.issuer)
trusted.allowsInsecureLoopback = true  // for http on this machine; leave it out for https
// snippet: example-4
let notes = ProtectedResource(
    try ResourceIdentifier(validating: "\(origin)/notes"), trusting: trusted,
    scopes: ["notes:read", "notes:write"], dpop: .required)
// end

let notebook = Notebook()
let server = Server(port: port) { routes in
    login.mount(on: &routes)
    routes.get("/") { _ in .text("Everybody may read this page.\n") }
    routes.protect(notes) { notes in  // paths are relative to the resource
        notes.get("/", requiring: "notes:read") { _, _ in
            try .json(await notebook.notes)
        }
        notes.post("/", requiring: "notes:write") { request, token in
            let draft = try await request.decode(Draft.self)
            return try .json(await notebook.add(draft, by: token.clientID), status: .created)
        }
        notes.delete("/{id}", requiring: ["notes:read", "notes:write"]) { request, _ in
            await notebook.remove(request.parameters["id"]) ? .noContent : Response(status: .notFound)
        }
    }
}

try await server.run(stoppingOn: [.terminate, .interrupt]) { _ in
    print(
        #"""
        # Paste these lines into another shell:
        . Examples/4-DPoPOnly/proof.sh
        token() { curl -s \#(login.issuer)/token -u app:app-secret -d grant_type=client_credentials \
            -H "DPoP: $(proof POST \#(login.issuer)/token)" \
            -d "scope=$1" -d resource=\#(origin)/notes | sed 's/.*"access_token":"\([^"]*\)".*/\1/'; }
        TOKEN=$(token notes:read)
        curl -si \#(origin)/notes -H "Authorization: DPoP $TOKEN" \
            -H "DPoP: $(proof GET \#(origin)/notes "$TOKEN")"
        """#)
}

struct Draft: Decodable {
    let text: String
}

struct Note: Encodable {
    let id: Int
    let text: String
    let author: String?
}

actor Notebook {
    private(set) var notes: [Note] = []
    private var count = 0

    func add(_ draft: Draft, by author: String?) -> Note {
        count += 1
        notes.append(Note(id: count, text: draft.text, author: author))
        return notes[notes.count - 1]
    }

    func remove(_ id: String) -> Bool {
        let index = notes.firstIndex { String($0.id) == id }
        if let index { notes.remove(at: index) }
        return index != nil
    }
}
