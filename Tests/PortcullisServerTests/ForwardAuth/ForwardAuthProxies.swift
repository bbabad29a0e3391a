// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisServer
import PortcullisTesting
import Testing

/// Traefik and Envoy as table 9.2 of the norms has them: what they send, what passes, and what a client then gets.
@Suite("9.2 What Traefik and Envoy make of the answers", .timeLimit(.minutes(1)))
struct ForwardAuthProxies {
    /// What the proxy does after the answer.
    private enum Outcome: Equatable {
        /// Passes the request on with these fields.
        case routed([String: String])
        case refused(Int, [String: [String]])
    }

    /// A request of a client to the proxy.
    private struct Call {
        var method = "GET"
        var target = "/mcp"
        var host = "api.example.com"
        var fields: [(name: String, value: String)] = []
    }

    // MARK: Traefik

    /// ForwardAuth with `trustForwardHeader: false`: a GET with all fields of the client but the hop-by-hop ones.
    private static func traefik(_ call: Call, _ stage: ForwardAuthStage) async throws -> Outcome {
        let hopByHop = ["connection", "keep-alive", "te", "transfer-encoding", "upgrade", "content-length"]
        let kept = call.fields.filter {
            let name = $0.name.lowercased()
            return !hopByHop.contains(name) && !name.hasPrefix("x-forwarded-")
        }
        let reply = try await stage.server.exchange(
            request(
                "GET", "/_auth",
                kept.map { "\($0.name): \($0.value)" } + [
                    "X-Forwarded-Method: \(call.method)", "X-Forwarded-Proto: https",
                    "X-Forwarded-Host: \(call.host)", "X-Forwarded-Uri: \(call.target)",
                    "X-Forwarded-For: 192.0.2.1",
                ]))
        guard (200..<300).contains(reply.status) else {
            return .refused(
                reply.status,
                Dictionary(grouping: reply.fields, by: { $0.name.lowercased() })
                    .mapValues { $0.map(\.value) })
        }
        // authResponseHeaders are deleted from the request, then set.
        var fields: [String: String] = [:]
        for field in call.fields where !field.name.lowercased().hasPrefix("x-portcullis-") {
            fields[field.name.lowercased()] = field.value
        }
        for field in reply.fields where field.name.hasPrefix("X-Portcullis-") {
            fields[field.name.lowercased()] = field.value
        }
        return .routed(fields)
    }

    @Test func `Traefik passes answers on as they are`() async throws {
        try await ForwardAuthStage.run(.traefik) { stage async throws in
            let token = stage.token.split(separator: " ", maxSplits: 1)[1]
            var call = Call()
            call.fields = [
                ("X-Portcullis-Subject", "admin"), ("X-Forwarded-Uri", "/public/a"), ("Content-Length", "5"),
                ("Transfer-Encoding", "chunked"), ("Content-Type", "application/x-www-form-urlencoded"),
            ]
            guard case .refused(401, let fields) = try await Self.traefik(call, stage) else {
                Issue.record("not refused")
                return
            }
            #expect(fields["www-authenticate"]?.count == 1)
            #expect(fields["cache-control"] == ["no-store"])
            call.method = "POST"
            call.fields.append(("Authorization", String(token)))
            guard case .routed(let sent) = try await Self.traefik(call, stage) else {
                Issue.record("not routed")
                return
            }
            #expect(sent["x-portcullis-subject"] == "user-1")
            for (target, status) in [("/mcp/../x", 400), ("/unknown", 403), ("/mcp/a", 404), ("//a/b", 400)] {
                call.target = target
                guard case .refused(let found, _) = try await Self.traefik(call, stage) else {
                    Issue.record("\(target) was routed")
                    continue
                }
                #expect(found == status, "\(target)")
            }
        }
    }

    // With trustForwardHeader: true Traefik keeps a client's own fields; the documents forbid it.
    @Test func `Traefik with a client's field beside its own is refused`() async throws {
        try await ForwardAuthStage.run(.traefik) { stage async throws in
            let reply = try await stage.ask("/mcp", "GET", "X-Forwarded-Uri: /public/a")
            #expect(reply.status == 400)
        }
    }

    // MARK: Envoy

    /// `ext_authz` over HTTP: method and path of the client, and the fields of `allowed_headers` only; 200 alone
    /// passes, and a server error becomes 403.
    private static func envoy(
        _ call: Call, allowing names: [String] = ["authorization", "dpop"], _ stage: ForwardAuthStage
    ) async throws -> Outcome {
        let allowed = call.fields.filter { names.contains($0.name.lowercased()) }
        let lines =
            ["\(call.method) /_auth\(call.target) HTTP/1.1", "Host: \(call.host)", "Content-Length: 0"]
            + allowed.map { "\($0.name): \($0.value)" }
        let reply = try await stage.server.exchange(lines.joined(separator: "\r\n") + "\r\n\r\n")
        guard reply.status == 200 else {
            let kept = ["www-authenticate", "location", "dpop-nonce", "cache-control"]
            let fields = reply.fields.filter { kept.contains($0.name.lowercased()) }
            return .refused(
                reply.status >= 500 ? 403 : reply.status,
                Dictionary(grouping: fields, by: { $0.name.lowercased() }).mapValues { $0.map(\.value) })
        }
        var fields: [String: String] = [:]
        for field in reply.fields where field.name.hasPrefix("X-Portcullis-") {
            fields[field.name.lowercased()] = field.value
        }
        return .routed(fields)
    }

    @Test func `Envoy passes 200 alone, and every other answer to the client`() async throws {
        try await ForwardAuthStage.run(.envoy) { stage async throws in
            let token = stage.token.split(separator: " ", maxSplits: 1)[1]
            var call = Call()
            call.method = "PUT"
            call.fields = [("x-portcullis-subject", "admin"), ("transfer-encoding", "chunked")]
            guard case .refused(401, let fields) = try await Self.envoy(call, stage) else {
                Issue.record("not refused")
                return
            }
            #expect(fields["www-authenticate"]?.count == 1)
            call.fields.append(("authorization", String(token)))
            guard case .routed(let sent) = try await Self.envoy(call, stage) else {
                Issue.record("not routed")
                return
            }
            #expect(sent["x-portcullis-subject"] == "user-1")
            #expect(sent.count == 10)
            for (target, status) in [
                ("/mcp/../x", 400), ("/unknown", 403), ("/mcp/a", 404), ("//a/b", 400), ("/mcp#", 400),
            ] {
                call.target = target
                guard case .refused(let found, _) = try await Self.envoy(call, stage) else {
                    Issue.record("\(target) was routed")
                    continue
                }
                #expect(found == status, "\(target)")
            }
        }
    }

    // A proof that Envoy does not pass on looks missing.
    @Test func `Envoy without DPoP in allowed_headers is refused, never passed`() async throws {
        let resource: (GuardedSite) throws -> ProtectedResource = { site in
            var metadata = ProtectedResourceMetadata(
                resource: try ResourceIdentifier(validating: ForwardAuthStage.identifier))
            metadata.authorizationServers = [site.issuer.issuer]
            metadata.scopesSupported = ["tools:read", "tools:write"]
            metadata.dpopSigningAlgorithmsSupported = ["ES256"]
            return try ProtectedResource(validating: .init(metadata, trusting: [site.issuer.trusted]))
        }
        try await ForwardAuthStage.run(.envoy, .init(resource: resource)) { stage async throws in
            let client = TestDPoPClient()
            let token = stage.site.issuer.mint(
                audience: ForwardAuthStage.identifier, scope: "tools:read", boundTo: client)
            var call = Call()
            call.fields = [
                ("authorization", "DPoP \(token)"),
                ("dpop", client.proof(.get, ForwardAuthStage.identifier, token: token)),
            ]
            guard case .refused(401, _) = try await Self.envoy(call, allowing: ["authorization"], stage),
                case .routed = try await Self.envoy(call, stage)
            else {
                Issue.record("wrong outcome")
                return
            }
        }
    }
}
