// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import Testing

/// Text from clients that broke the log lines of other implementations.
@Suite("Advisories of 2025 and 2026: log lines")
struct LogAdvisories {
    private static let hostile = "x\r\nforged line\u{1B}[2J\u{2028}\u{85}\u{0}\" status=200"

    @Test(arguments: AccessLog.Format.allCases)
    func `CVE-2026-50629 (Apache CXF): no claim and no field of a request breaks a log line`(
        format: AccessLog.Format
    )
        async throws
    {
        let lines = Lines()
        var setup = RunningServer.Setup()
        setup.configure = { $0.accessLog = .lines(format) { lines.add($0) } }
        let site = GuardedSite()
        let photos = try site.resource("https://api.example.com/photos", scopes: ["read"])
        let hostile = JSONValue.string(Self.hostile)
        let identifier = "https://api.example.com/photos"
        func mint(_ claims: JSONObject, header: JSONObject = [:]) -> String {
            site.issuer.mint(audience: identifier, claims: claims, header: header)
        }
        let tokens = [
            mint(["sub": hostile, "client_id": hostile, "jti": hostile]), mint(["iss": hostile]),
            mint(["aud": hostile]), mint([:], header: ["kid": hostile]), mint([:], header: ["typ": hostile]),
            mint([:], header: ["alg": hostile]), mint(["acr": hostile, "scope": "a"]), "x%0d%0ay",
        ]
        var count = 0
        try await withServer(
            setup,
            { routes in
                routes.protect(photos) { $0.get("/", requiring: "read") { _, _ in .ok } }
                routes.get("/public/{name}") { _ in .ok }
            }
        ) { (server) async throws in
            for token in tokens {
                let reply = try await server.get("/photos", "Authorization: Bearer \(token)")
                #expect(reply.status == 401 || reply.status == 403)
                count += 1
            }
            for target in ["/public/%0D%0Aforged", "/public/%1B%5B2J", "/public/%E2%80%A8"] {
                _ = try await server.get(
                    target, "User-Agent: a\u{2028}b\u{85}é", "Referer: \"x\" forged",
                    "X-Forwarded-For: \u{2028}")
                count += 1
            }
            // Control characters in a field or a target end the request.
            for raw in [
                "GET /\u{1B}x HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX: \u{1B}\r\n\r\n",
            ] {
                #expect(try await server.exchange(raw).status == 400)
                count += 1
            }
        }
        #expect(lines.all.count == count)
        for line in lines.all {
            #expect(line.utf8.allSatisfy { (0x20...0x7E).contains($0) }, "\(line)")
            #expect(!line.hasPrefix("forged"))
        }
        if format == .json { #expect(lines.objects.count == count) }
    }
}
