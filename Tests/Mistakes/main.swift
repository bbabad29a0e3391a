// SPDX-License-Identifier: MIT

// Makes the mistake in a declaration that the command line names. `Tests/Mistakes/check` compares what
// release builds print.

import Portcullis
import PortcullisServer

let notes = "https://api.example.com/notes" as ResourceIdentifier

switch CommandLine.arguments.dropFirst().first {
case "server":
    _ = Server(port: 80_800) { _ in }
case "routes":
    _ = Server { $0.get("no-slash") { _ in .ok } }
case "resource":
    _ = ProtectedResource(notes, trusting: .jwt(issuer: "http://login.example.com"), scopes: ["a", "a"])
case "identifier":
    _ = "http://api.example.com/notes" as ResourceIdentifier
case "scope":
    _ = "notes read" as Scope
case "field":
    _ = "X Notes" as FieldName
case "requirement":
    _ = AccessRequirement.any(of: [])
case "status":
    _ = Status(999)
case "value":
    var fields = Fields()
    fields.append("a\r\nb", for: "X-Notes")
default:
    print("No mistake.")
}
