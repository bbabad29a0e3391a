// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP
internal import PortcullisTransport

/// Questions of trusted proxies about requests that they hold back.
extension Connection {
    /// Where a trusted proxy asks with a request for a path; `nil` for other requests.
    func asked(_ path: RequestPath) -> ForwardAuthRoutes? {
        guard let asked = context.table.forwardAuth, isFromTrustedProxy, asked.endpoint.owns(path) else {
            return nil
        }
        return asked
    }

    /// Decides on the request that a carrier describes.
    ///
    /// - Returns: The number of bytes after the carrier's head that were taken.
    func decide(
        _ asked: ForwardAuthRoutes, _ carrier: RequestHead, _ semantics: RequestSemantics,
        _ path: RequestPath,
        _ rest: UnsafeRawBufferPointer
    ) -> Int {
        // The content stays with the proxy, whatever the carrier declares: waiting for it would never end.
        guard semantics.framing == .none || semantics.framing == .length(0) else {
            note(
                "it declares content; the proxy must send none, with a Content-Length of 0 or without one",
                asked)
            refuse(.invalidForwardAuth, carrier)
            return rest.count
        }
        state.requestAccepted(
            version: carrier.version, isHead: carrier.method == .head, keepAlive: semantics.keepAlive)
        beginRecord(carrier)
        _ = takeBody(semantics, rest)
        do throws(UnreadableCarrier) {
            let told = try asked.endpoint.read(
                carrier, semantics, maxTargetByteCount: terms.limits.maxTargetByteCount)
            decide(asked, told, try forwarding(of: carrier))
        } catch {
            if let advice = error.advice { note(advice, asked) }
            noteTold(error, at: asked.endpoint.path)
            answer(asked.refusing(error), carrier, path)
        }
        return 0
    }

    private func forwarding(of carrier: RequestHead) throws(UnreadableCarrier) -> Forwarding? {
        do throws(MalformedMessage) {
            return try context.core.proxies.forwarding(of: carrier)
        } catch {
            throw UnreadableCarrier(error)
        }
    }

    private func decide(_ asked: ForwardAuthRoutes, _ told: ToldRequest, _ forwarding: Forwarding?) {
        noteTold(told, at: asked.endpoint.path)
        let (route, values) = context.table.decision(on: told, by: asked)
        var request = Request(
            head: told.head, path: told.path, queryRange: told.queryRange,
            parameters: route.parameters(values, in: told.path), body: .empty, peer: peer,
            id: record?.value.id, forwarding: forwarding, isFromTrustedProxy: true,
            certificateSource: toldCertificate, describesRefusals: context.core.describesRefusals,
            traceSeed: record?.value.traceSeed ?? context.nextTraceSeed(),
            continuesTrace: context.core.traces.includes(true), route: route)
        noteRoute(route, forwarding)
        begin(&request, route)
    }

    /// Answers a carrier that does not describe a request.
    private func answer(
        _ route: CompiledRoute, _ carrier: RequestHead, _ path: RequestPath
    ) {
        var request = Request(
            head: carrier, path: path, queryRange: nil, body: .empty, peer: peer, id: record?.value.id,
            isFromTrustedProxy: true, traceSeed: record?.value.traceSeed ?? context.nextTraceSeed())
        noteRoute(route, nil)
        begin(&request, route)
    }

    /// The certificate of the proxy's client, if proxies send it; never that of the proxy.
    private var toldCertificate: ClientCertificate {
        context.core.proxies.certificateSource ?? .none
    }

    private func note(_ advice: String, _ asked: ForwardAuthRoutes) {
        context.core.noteUnreadableCarrier(advice, peer, asked.endpoint.path, loop.now)
    }

    /// Gives a refused message the form that the proxy needs, if it may have been a question.
    func finishDecision(_ response: inout Response, _ head: RequestHead?) {
        guard let head, context.table.forwardAuth != nil, let target = try? RequestTarget(head),
            let path = try? target.path(of: head), let asked = asked(path)
        else { return }
        asked.endpoint.finish(&response, isAdmitted: false)
    }
}
