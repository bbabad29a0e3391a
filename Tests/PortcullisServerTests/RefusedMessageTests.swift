// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisServer
import PortcullisTesting
import Testing

@Suite("RFC 9110 §15.5.1 Each refused message has a reason in log and metrics", .timeLimit(.minutes(1)))
struct RefusedMessageTests {
    private static let host = "Host: api.example.com\r\n"

    @Test(
        arguments: [
            (
                "GET /a?access_token=x HTTP/1.1\r\n\(host)a b: c\r\n\r\n", 400, "/a",
                MalformedMessage.invalidFieldName
            ),
            ("GET /a HTTP/1.1\r\n\(host)\(host)\r\n", 400, "/a", .invalidHost),
            ("PUT /a HTTP/1.1\r\n\(host)Content-Length: x\r\n\r\n", 400, "/a", .invalidContentLength),
            ("GET /a//b HTTP/1.1\r\n\(host)\r\n", 400, "/a//b", .ambiguousPath),
            ("GET /a HTTP/1.1\r\n\(host) folded\r\n\r\n", 400, "/a", .foldedField),
            ("GET /a HTTP/1.1\r\n\(host)X: \u{0}\r\n\r\n", 400, "/a", .invalidFieldValue),
            ("GET /a HTTP/3.0\r\n\(host)\r\n", 505, "/a", .unsupportedVersion),
            ("GET /a\r\n\r\n", 400, nil, .invalidRequestLine),
            ("G\u{1}T /a HTTP/1.1\r\n\r\n", 400, nil, .invalidMethod),
            ("GET http://user@h/a HTTP/1.1\r\n\(host)\r\n", 400, nil, .invalidTarget),
        ] as [(String, Int, String?, MalformedMessage)])
    func `with the path where it is known`(
        message: String, status: Int, path: String?, reason: MalformedMessage
    ) async throws {
        let lines = Lines()
        let metrics = MetricsRegistry()
        let log = AccessLog.lines(.json) { lines.add($0) }
        let setup = RunningServer.Setup(metrics: metrics) { $0.accessLog = log }
        try await withServer(setup) {
            $0.get("/a") { _ in .ok }
        } _: { server in
            let reply = try await server.exchange(message)
            #expect(reply.status == status)
        }
        await log.flush()
        let line = try #require(lines.objects.first)
        #expect(line["refusal"]?.string == reason.code)
        #expect(path == nil || line["path"]?.string == path)
        #expect(line["status"]?.number?.integer == status)
        #expect(!lines.all.contains { $0.contains("access_token") })
        #expect(metrics.openMetricsText.contains("refusals_total{reason=\"\(reason.code)\"} 1\n"))
    }

    @Test func `every reason has a code and a phrase of its own`() {
        #expect(Set(MalformedMessage.allCases.map(\.code)).count == MalformedMessage.allCases.count)
        #expect(Set(MalformedMessage.allCases.map(\.description)).count == MalformedMessage.allCases.count)
        let gate = Set(RefusalReason.allCases.map(\.rawValue))
        #expect(gate.isDisjoint(with: MalformedMessage.allCases.map(\.code)))
    }

    @Test func `a client certificate that does not count says why`() {
        func reason(_ source: ClientCertificate, _ isFromTrustedProxy: Bool, _ hasField: Bool) -> String? {
            IgnoredCertificate(
                .get("/", fields: hasField ? [("Client-Cert", ":AA==:")] : []), source: source,
                isFromTrustedProxy: isFromTrustedProxy, peer: "192.0.2.1")?.reason
        }
        #expect(reason(.none, false, false) == nil)
        #expect(reason(.none, false, true) == "192.0.2.1, which sent Client-Cert, is not in trusted_proxies")
        #expect(
            reason(.none, true, true)
                == "the trusted proxy 192.0.2.1 sent Client-Cert, but client_cert_field is off")
        #expect(reason(.trustedField, true, true) == nil)
        #expect(
            reason(.trustedField, true, false)
                == "with client_cert_field on, only Client-Cert counts on connections from the trusted proxy "
                + "192.0.2.1, and it sent none")
    }

    @Test func `it is logged at most once a minute`() async throws {
        let issuer = TestIssuer("https://as.example.com")
        let resource = ProtectedResource("https://api.example.com/a", trusting: issuer.trusted)
        let token = issuer.mint(
            audience: "https://api.example.com/a",
            claims: ["cnf": ["x5t#S256": .string(String(repeating: "A", count: 43))]])
        try await withServer(.preferred) {
            $0.protect(resource) { $0.get("/") { _, _ in .ok } }
        } _: { server in
            for _ in 0..<3 {
                let reply = try await server.get(
                    "/a", "Authorization: Bearer \(token)", "Client-Cert: :AA==:")
                #expect(reply.status == 401)
            }
            #expect(
                server.log.sentences.filter { $0.contains("certificate was ignored") } == [
                    "warning: a client certificate was ignored, and its token refused: 127.0.0.1, which sent "
                        + "Client-Cert, is not in trusted_proxies"
                ])
        }
    }
}
