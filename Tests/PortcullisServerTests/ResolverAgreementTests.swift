// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisServer
import PortcullisTesting
import Testing

/// The package's server and programs that embed the gate find the same resource for every request.
@Suite("RFC 9728 §3 One resolver for the server and for ResourceRegistry")
struct ResolverAgreementTests {
    static let identifiers =
        RFC9728_3_1_ManyResources.identifiers + ["https://e.example/", "https://e.example/a/b/"]
    static let hosts = [
        "a.example", "A.EXAMPLE:443", "a.example:8443", "b.example", "[2001:db8::1]", "[2001:db8:0::0:1]",
        "[2001:db8::1]:8443", "192.0.2.1", "localhost:8080", "c.example", "d.example", "e.example",
        "e.example:",
    ]
    static let paths = [
        "/", "/p", "/p/", "/p/q", "/p/q/r", "/pq", "/P", "/P/x", "/P%7E", "/P~", "/P~/", "/P~/x",
        "/%70%C3%A9", "/p%c3%a9/x", "/mcp", "/mcp/tools", "/a;b=c/d,e", "/a;b=c", "/a", "/a/b", "/a/b/",
        "/a/b/c", "/x/p", "//p",
    ]

    @Test func `each host and path belongs to the same resource, or is refused alike`() throws {
        let resources = try Self.identifiers.map { try RFC9728_3_1_ManyResources.resource($0) }
        let asked = try RFC9728_3_1_ManyResources.table(resources)
        let snapshot = try ResourceRegistry(resources).current
        var found: Set<String> = []
        for host in Self.hosts {
            for target in Self.paths {
                let head = RequestHead.test(.get, target, fields: [("Host", host)])
                guard let path = try? RequestPath(head, RequestSemantics(head)) else {
                    #expect(throws: MalformedMessage.ambiguousPath) { try snapshot.resource(for: head) }
                    continue
                }
                let route = asked.table.destination(.get, authority: host.lowercased(), path).route
                let embedded = try? snapshot.resource(for: head)
                #expect(route.resource == embedded?.identifier.text, "\(host)\(target)")
                if let text = route.resource { found.insert(text) }
            }
        }
        // Two of them differ from another only in their query, and share its routes.
        #expect(found.count == Self.identifiers.count - 1)
    }

    @Test func `a host without resources is refused by the server, and where a resource has the path`() throws
    {
        let resources = try ["https://a.example/p", "https://b.example/q"].map {
            try RFC9728_3_1_ManyResources.resource($0)
        }
        let asked = try RFC9728_3_1_ManyResources.table(resources)
        let snapshot = try ResourceRegistry(resources).current
        #expect(
            asked.table.destination(.get, authority: "x.example", try RequestPath("/p")).route.name
                == "misdirected")
        #expect(throws: MalformedMessage.misdirectedRequest) {
            try snapshot.resource(for: .test(.get, "/p/1", fields: [("Host", "x.example")]))
        }
        #expect(try snapshot.resource(for: .test(.get, "/r", fields: [("Host", "x.example")])) == nil)
    }
}
