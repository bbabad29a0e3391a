// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisServer
import Synchronization

/// A server with one guarded route, called over a socket: an entry to the gate by public API alone.
struct AdmissionServer {
    let resource: ProtectedResource
    let requirement: AccessRequirement

    /// Keeps a server's events about one request.
    private final class Summaries: ServerMetrics, ServerMetricsRecorder {
        let describesRefusals: Bool
        private let last = Mutex<RequestSummary?>(nil)

        init(describesRefusals: Bool) {
            self.describesRefusals = describesRefusals
        }

        var summary: RequestSummary? { last.withLock { $0 } }

        func makeRecorder(loop: Int) -> any ServerMetricsRecorder { self }

        func record(_ event: ServerEvent) {
            if case .requestFinished(let summary) = event { last.withLock { $0 = summary } }
        }
    }

    /// Sends a request, or lets a proxy ask about it.
    func ask(_ call: AdmissionCall, throughProxy asks: Bool = false) async throws -> EntryAnswer {
        let handler = AdmissionHandler()
        let summaries = Summaries(describesRefusals: call.describesRefusals)
        var setup = RunningServer.Setup()
        setup.loops = 1
        setup.metrics = summaries
        if asks || call.certificate == .trustedField {
            let proxies = try TrustedProxies(
                ["127.0.0.1"], sendsClientCertificates: call.certificate == .trustedField)
            setup.configure = { $0.proxies = proxies }
        }
        let reply = try await withServer(setup) { routes in
            if asks { routes.forwardAuth(at: "/_auth", for: .haproxy) }
            routes.guardNotes(of: resource, requiring: requirement, handler, isWatched: asks)
        } _: { server in
            let reply = try await server.exchange(asks ? Self.question(call) : Self.message(call))
            _ = await eventually { summaries.summary != nil }
            return reply
        }
        let own = ["date", "content-length", "connection"]
        let fields = reply.fields.filter {
            !own.contains($0.name.lowercased()) && !$0.name.hasPrefix("X-Portcullis-")
        }
        return EntryAnswer(
            token: handler.token, reason: summaries.summary?.refusal, finding: summaries.summary?.finding,
            lines: [reply.statusLine] + fields.map { "\($0.name): \($0.value)" }, body: reply.body)
    }

    /// The request of a proxy that holds the call back.
    private static func question(_ call: AdmissionCall) -> String {
        let fields = call.head.fields.filter { $0.name != "Host" }.map { "\($0.name): \($0.value)" }
        return request(
            "HEAD" == call.head.method.name ? "GET" : "POST", "/_auth",
            fields + [
                "X-Original-URI: \(call.head.target)", "X-Original-Method: \(call.head.method.name)",
                "X-Original-Host: api.example.com",
            ])
    }

    private static func message(_ call: AdmissionCall) -> String {
        var lines = ["\(call.head.method.name) \(call.head.target) HTTP/1.1"]
        lines += call.head.fields.map { "\($0.name): \($0.value)" }
        if !call.content.isEmpty { lines.append("Content-Length: \(call.content.count)") }
        return (lines + ["", ""]).joined(separator: "\r\n") + String(decoding: call.content, as: UTF8.self)
    }
}

/// Keeps the token that a gate has let in, also where no handler runs.
struct TokenWatch: NonWaitingMiddleware {
    let handler: AdmissionHandler

    func intercept(_ request: inout Request) -> Interception {
        _ = handler.respond(request.token)
        return .proceed
    }
}

/// The handler after a gate: keeps the token that it got.
final class AdmissionHandler: Sendable {
    private let kept = Mutex<AccessToken?>(nil)

    var token: AccessToken? { kept.withLock { $0 } }

    func respond(_ token: AccessToken?) -> Response {
        kept.withLock { $0 = token }
        return Response(status: .ok)
    }
}
