// SPDX-License-Identifier: MIT

import Dispatch
import Portcullis
import PortcullisServer
import PortcullisTesting
import Synchronization
import Testing

/// The whole suite through a proxy of each family that passes every refusal on as it gets it.
///
/// nginx, Caddy and HAProxy themselves, with the configurations of the article, are in the integration tests.
@Suite("GateConformance: the gate that a proxy asks", .timeLimit(.minutes(1)))
struct ForwardAuthConformance {
    @Test(arguments: ForwardAuthFamily.allCases)
    func `RFC 6750, RFC 9449, RFC 9728: the suite passes, with the statuses of the family`(
        family: ForwardAuthFamily
    ) async throws {
        let identifier: ResourceIdentifier = "https://api.example.com/mcp"
        let resource: (GuardedSite) throws -> ProtectedResource = { site in
            var metadata = ProtectedResourceMetadata(resource: identifier)
            metadata.authorizationServers = [site.issuer.issuer]
            metadata.scopesSupported = ["tools:read", "tools:write"]
            metadata.bearerMethodsSupported = [.header]
            metadata.dpopSigningAlgorithmsSupported = ["ES256"]
            return try ProtectedResource(validating: .init(metadata, trusting: [site.issuer.trusted]))
        }
        try await ForwardAuthStage.run(family, .init(resource: resource)) { stage async throws in
            let proxy = try Self.proxy(asking: stage)
            defer { proxy.stop() }
            var gate = GateConformance(
                of: identifier, at: proxy.url + "/mcp", signedBy: stage.site.issuer, requiring: "tools:read")
            gate.testsProofs = true
            gate.statusMapping = family == .nginx ? .nginxEndpoint : .unchanged
            let failures = await gate.failures()
            #expect(failures.isEmpty, "\(failures)")
            guard family == .nginx else { return }
            gate.statusMapping = .unchanged
            let unmapped = await gate.failures()
            #expect(!unmapped.isEmpty && unmapped.allSatisfy { $0.message == "expected 400, not 403" })
        }
    }

    /// A proxy in front of an API that answers everything.
    private static func proxy(asking stage: ForwardAuthStage) throws -> RawUpstream {
        try RawUpstream.repeating { peer, head in
            let line = head.headLines[0].split(separator: " ").map(String.init)
            let isDocument = line[1].hasPrefix("/.well-known/oauth-protected-resource")
            let question = isDocument ? head : stage.carrier(line[1], line[0], passedFields(of: head))
            guard let reply = waiting({ try? await stage.server.exchange(question) }) else { return }
            if reply.status == 200, !isDocument {
                // As the configurations of the article have it.
                peer.answer("done", "200 OK", "Cache-Control: no-store\r\n")
            } else {
                pass(reply, to: peer, withContent: line[0] != "HEAD")
            }
        }
    }

    /// The fields of a request without those of its connection and its framing.
    private static func passedFields(of head: String) -> [String] {
        let own = ["host", "connection", "content-length", "transfer-encoding"]
        return head.headLines.dropFirst().filter { line in
            !own.contains(line.prefix { $0 != ":" }.lowercased())
        }
    }

    private static func pass(_ reply: Reply, to peer: RawUpstream.Peer, withContent: Bool) {
        let own = ["connection", "content-length", "transfer-encoding"]
        let lines = reply.fields.filter { !own.contains($0.name.lowercased()) }
            .map { "\($0.name): \($0.value)\r\n" }
        peer.write(
            "HTTP/1.1 \(reply.status) Answer\r\n\(lines.joined())Content-Length: \(reply.text.utf8.count)\r\n\r\n"
                + (withContent ? reply.text : ""))
    }

    /// Blocks the thread of a scripted server until a task has ended.
    private static func waiting<Result: Sendable>(
        _ work: @escaping @Sendable () async -> Result?
    ) -> Result? {
        let done = DispatchSemaphore(value: 0)
        let result = Mutex<Result?>(nil)
        Task {
            let value = await work()
            result.withLock { $0 = value }
            done.signal()
        }
        done.wait()
        return result.withLock { $0 }
    }
}
