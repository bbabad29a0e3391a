// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisCommand
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting
import PortcullisTransport
import Testing

@Suite("Probes of the documents without a token")
struct DocumentProbeTests {
    let world = Deployment()

    @Test(arguments: ["/relative", "http://api.example.com/m", "https://api.example.com/m#f"])
    func `CHK-25: a metadata URL that is relative, not https or with a fragment is a failure`(url: String)
        async
    {
        world.answerCalls(#"Bearer resource_metadata="\#(url)""#)
        #expect(await world.report().codes(.fail).contains("challenge.resource-metadata"))
    }

    @Test func `CHK-25: a metadata URL on another origin is a warning`() async {
        #expect(!(await world.report().codes(.warn).contains("challenge.origin")))
        let elsewhere = "https://docs.example.net/metadata"
        world.serve(Deployment.document(), at: elsewhere)
        world.answerCalls(#"Bearer resource_metadata="\#(elsewhere)", scope="mcp:read""#)
        #expect(await world.report().codes(.warn).contains("challenge.origin"))
    }

    @Test func `CHK-26: documents that differ in servers or resource are a warning`() async {
        let elsewhere = "https://api.example.com/custom.json"
        world.answerCalls(#"Bearer resource_metadata="\#(elsewhere)", scope="mcp:read""#)
        world.serve(Deployment.document(), at: elsewhere)
        world.serve(Deployment.document(), at: Deployment.root)
        #expect(await world.report().codes(.warn) == [])

        world.serve(Deployment.document(["authorization_servers": ["https://other.example"]]))
        #expect(await world.report().codes(.warn) == ["metadata.agreement"])

        world.serve(Deployment.document(["resource": "https://api.example.com/other"]))
        #expect(await world.report().codes(.warn) == ["metadata.derived", "metadata.agreement"])

        world.serve(Deployment.document())
        world.serve(
            Deployment.document(["authorization_servers": ["https://other.example"]]), at: Deployment.root)
        #expect(await world.report().codes(.warn) == ["metadata.agreement"])
    }

    @Test func `CHK-26: a root document of another resource on the host is a note`() async {
        world.serve(Deployment.document(["resource": "https://api.example.com/photos"]), at: Deployment.root)
        let report = await world.report()
        #expect(report.codes(.warn) == [])
        #expect(report.codes(.note) == ["metadata.agreement"])
    }

    @Test func `CHK-27: HSTS and port 80`() async {
        #expect(!(await world.report().findings.contains { $0.code.hasPrefix("transport.") }))
        let plain = "http://api.example.com/mcp"
        world.network.on(plain, status: .ok)
        #expect(await world.report().codes(.note).contains("transport.http"))
        world.network.on(plain) { _ in
            FetchResponse(status: .movedPermanently, fields: [.location: Deployment.resource])
        }
        #expect(await world.report().codes(.note).contains("transport.http"))
        world.network.on(plain) { _ in
            FetchResponse(status: .movedPermanently, fields: [.location: "https://api.example.com/"])
        }
        #expect(!(await world.report().codes(.note).contains("transport.http")))
        world.network.on(plain, status: .forbidden)
        #expect(!(await world.report().codes(.note).contains("transport.http")))
        world.network.on(Deployment.resource) { _ in
            FetchResponse(status: .unauthorized, fields: [.wwwAuthenticate: Deployment.challenge])
        }
        #expect(await world.report().codes(.note).contains("transport.hsts"))
    }

    @Test(arguments: [(13, Finding.Level.note), (0, .note), (-1, .note), (14, .pass), (90, .pass)])
    func `CHK-27: a certificate that ends within 14 days is a note`(days: Int, level: Finding.Level) async {
        let certificates = SeenCertificates()
        let check = ResourceCheck(fetcher: world.network, allowsLoopback: false, certificates: certificates)
        let unseen = await check.report(on: Deployment.resource)
        #expect(!unseen.findings.contains { $0.code == "transport.certificate" })
        let peer = TLSPeer(version: "TLSv1.3", certificate: [0x30], daysLeft: days)
        certificates.insert(peer, of: "api.example.com")
        let report = await check.report(on: Deployment.resource)
        #expect(report.findings.first { $0.code == "transport.certificate" }?.level == level)
        #expect(report.facts.contains { $0.name == "certificate" })
    }

    @Test(arguments: [
        ("Traceback (most recent call last):\n  File \"/srv/app.py\", line 3", "trace"),
        ("<hr><center>nginx/1.25.3</center>", "version"), ("upstream http://10.0.3.7:8000 failed", "host"),
        ("could not reach auth.prod.svc.cluster.local", "host"),
    ])
    func `CHK-28: a page of errors that tells of the inside is a note`(body: String, about: String) async {
        let page = "https://api.example.com/portcullis-check/no-such-page"
        world.network.on(page) { _ in FetchResponse(status: .notFound, body: Array(body.utf8)) }
        let found = await world.report().findings.filter { $0.code == "disclosure.body" }
        #expect(found.map(\.level) == [.note])
        #expect(found.map(\.about) == [about])
        world.network.on(page) { _ in
            FetchResponse(
                status: .notFound, body: Array("Not found (HTTP/1.1, https://api.example.com/a/1)".utf8))
        }
        #expect(!(await world.report().findings.contains { $0.code == "disclosure.body" }))
    }

    @Test(arguments: [("nginx/1.25.3", true), ("nginx", false), ("Express", false), ("PHP/8.1.2", true)])
    func `CHK-28: a field with a version is a note`(value: String, isTold: Bool) async {
        world.network.on("https://api.example.com/portcullis-check/no-such-page") { _ in
            FetchResponse(status: .notFound, fields: ["Server": value])
        }
        #expect(await world.report().codes(.note).contains("disclosure.version") == isTold)
    }

    @Test func `CHK-29: metadata without a challenge hint at a proxy`() async {
        #expect(!(await world.report().codes(.warn).contains("challenge.removed")))
        world.answerCalls("")
        let report = await world.report()
        #expect(report.codes(.fail).contains("challenge.present"))
        #expect(report.codes(.warn).contains("challenge.removed"))
        world.network.on(Deployment.location, status: .notFound)
        #expect(!(await world.report().codes(.warn).contains("challenge.removed")))
    }

    @Test func `CHK-29: metadata behind a redirect names who does not follow`() async {
        world.network.on(Deployment.location) { _ in
            FetchResponse(status: .found, fields: [.location: "https://api.example.com/document"])
        }
        let report = await world.report()
        #expect(report.codes(.fail).contains("metadata.status"))
        #expect(
            report.findings.contains { $0.code == "clients.redirect" && $0.text.contains("oauth4webapi") })
    }

    @Test(arguments: [
        ("*", true), ("admin", true), ("FULL", true), ("mcp:*", true), ("administer:read", false),
    ])
    func `CHK-41: a scope that permits everything is a warning`(scope: String, isBroad: Bool) async {
        world.serveIssuer(omitting: ["scopes_supported"])
        world.serve(Deployment.document(["scopes_supported": ["mcp:read", .string(scope)]]))
        #expect(await world.report().codes(.warn).contains("metadata.scope-names") == isBroad)
    }

    @Test func `CHK-41: a scope with a blank, and one that only the challenge has`() async {
        world.serve(Deployment.document(["scopes_supported": ["mcp:read mcp:write"]]))
        #expect(await world.report().codes(.warn).contains("metadata.scope-names"))
        world.serve(Deployment.document())
        world.answerCalls(#"Bearer resource_metadata="\#(Deployment.location)", scope="mcp:read mcp:write""#)
        let found = await world.report().findings.first { $0.code == "challenge.scope-unlisted" }
        #expect(found?.level == .warn && found?.text.contains("mcp:write") == true)
    }

    @Test func `CHK-39: authorization server metadata at the resource's origin are a note`() async {
        let location = "https://api.example.com/.well-known/oauth-authorization-server"
        #expect(!(await world.report().findings.contains { $0.code == "root.authorization-server" }))
        world.network.on(location, json: ["issuer": "https://api.example.com"])
        #expect(await world.report().codes(.note).contains("root.authorization-server"))
    }

    @Test func `CHK-42: one line for each client that stops, with the step and whose fault it is`() async {
        #expect(!(await world.report().findings.contains { $0.code == "clients.steps" }))
        world.serveIssuer(omitting: ["code_challenge_methods_supported"])
        let pkce = await world.report().findings.filter { $0.code == "clients.steps" }
        #expect(pkce.count == 7 && pkce.allSatisfy { $0.text.contains("stops at PKCE") && $0.level == .note })
        #expect(!pkce.contains { $0.about == "oauth4webapi" })
        world.serve(Deployment.document(["resource": "https://api.example.com/other"]))
        let resource = await world.report().findings.filter { $0.code == "clients.steps" }
        #expect(resource.count == 8 && resource.allSatisfy { $0.text.contains("by the resource's fault") })
    }
}
