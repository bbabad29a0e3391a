// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP
internal import PortcullisJOSE
internal import PortcullisTransport

/// One request, passed on and answered.
extension ProxyRelay {
    func respond(to request: Request, through control: (any ExchangeControl)?) async throws -> Response {
        let forwarded: UpstreamRequest
        do throws(ForwardingRefusal) {
            forwarded = try UpstreamRequest(
                request, rules, certificateFieldName: control?.certificateFieldName)
        } catch {
            if error == .loop { proxy.configuration.onEvent(.loop) }
            return .problem(error.status)
        }
        guard !forwarded.endsHere else { return Self.options }
        var tried: [Upstream] = []
        while let upstream = proxy.upstreams.next(tried, .now()) {
            let exchange: RelayedExchange
            do {
                exchange = try open(forwarded, request, upstream, control)
            } catch let error as ForwardingRefusal {
                return .problem(error.status)
            } catch is JOSEError {
                proxy.configuration.onEvent(.unsigned)
                return .problem(.internalServerError)
            } catch let error as HTTPClientError {
                return refuse(error, upstream)
            }
            do {
                let head = try await exchange.finalHead(control)
                upstream.succeeded()
                return await answer(head, of: exchange, forwarded, control)
            } catch let error as HTTPClientError {
                if Task.isCancelled { throw CancellationError() }
                // The client's body was malformed, too long or too late.
                if let failure = exchange.bodyFailure { throw failure }
                noteFailure(error, of: upstream)
                if error.preventedConnection, proxy.upstreams.members.count > 1 {
                    tried.append(upstream)
                    if proxy.upstreams.next(tried, .now()) != nil { continue }
                }
                return refuse(error, upstream)
            }
        }
        return .problem(.badGateway)
    }

    /// RFC 9110 §7.6.2, §9.3.7.
    private static let options: Response = {
        var response = Response.noContent
        response.fields[.allow] = Method.everyMethod.namedMethods.joined(separator: ", ")
        return response
    }()

    private func open(
        _ forwarded: UpstreamRequest, _ request: Request, _ upstream: Upstream,
        _ control: (any ExchangeControl)?
    ) throws -> RelayedExchange {
        let message = try forwarded.message(
            basePath: upstream.basePath, authority: upstream.authority, request,
            isEncrypted: control?.isEncrypted ?? false,
            assertion: try assertion(for: request, forwarded, upstream))
        let stream = try proxy.client.open(
            StreamedRequest(
                to: upstream.origin, request.method, message: message, rest: forwarded.rest,
                timeouts: proxy.timeouts, isRepeatable: forwarded.isRepeatable,
                offersUpgrade: forwarded.upgrade != nil))
        let exchange = RelayedExchange(stream, upstream, self)
        if let body = forwarded.pendingBody { exchange.send(body) }
        return exchange
    }

    /// The signed identity; empty on a public route, `nil` if none is configured.
    private func assertion(
        for request: Request, _ forwarded: UpstreamRequest, _ upstream: Upstream
    ) throws(JOSEError) -> String? {
        guard let assertion = proxy.configuration.identityAssertion else { return nil }
        guard let token = request.token else { return "" }
        let path = forwarded.target.prefix { $0 != 0x3F }
        let url =
            (upstream.origin.isEncrypted ? "https://" : "http://") + forwarded.host(or: upstream.authority)
            + String(decoding: upstream.basePath + path, as: UTF8.self)
        return try assertion.make(
            for: token, request.method, url: url, now: Int(TimeOfDay.secondsSince1970()))
    }

    private func noteFailure(_ error: HTTPClientError, of upstream: Upstream) {
        switch error {
        case .tooManyWaiting, .timeout(.waiting), .cancelled, .unavailable: break
        default: upstream.failed(at: .now())
        }
    }

    private func refuse(_ error: HTTPClientError, _ upstream: Upstream) -> Response {
        // A request that waited in vain for one of the connections, while the server works.
        let hasNoPlace = error == .tooManyWaiting || error == .timeout(.waiting)
        let status = error.gatewayStatus
        proxy.configuration.onEvent(
            .failed(
                upstream: upstream.url, hasNoPlace ? .noPlace : .client(error), status: status.code))
        var response = Response.problem(status)
        // RFC 9110 §15.6.4.
        if status == .serviceUnavailable { response.fields[.retryAfter] = "1" }
        return response
    }

    // MARK: The answer

    private func answer(
        _ head: ParsedResponseHead, of exchange: RelayedExchange, _ forwarded: UpstreamRequest,
        _ control: (any ExchangeControl)?
    ) async -> Response {
        if head.status.code == 101 {
            return await upgrade(head, of: exchange, forwarded, control)
        }
        let passesChallenges = head.status == .unauthorized && proxy.configuration.passesUnauthorized
        // RFC 9110 §11.6.1: the challenge is for the server behind, and the client cannot answer it.
        if head.status == .unauthorized, !passesChallenges {
            proxy.configuration.onEvent(.unauthorized(upstream: exchange.upstream.url))
            return .problem(.badGateway)
        }
        let response = UpstreamResponse(head, keepsChallenges: passesChallenges)
        if head.framing == .none { return response.response(.bytes([])) }
        if let body = exchange.stream.takeWholeBody() { return response.response(.bytes(body)) }
        return response.response(.stream { writer in try await exchange.pass(to: writer) })
    }

    private func upgrade(
        _ head: ParsedResponseHead, of exchange: RelayedExchange, _ forwarded: UpstreamRequest,
        _ control: (any ExchangeControl)?
    ) async -> Response {
        let response = UpstreamResponse(head)
        guard let offered = forwarded.upgrade, let upgradeHead = response.upgradeHead(offered), let control
        else {
            proxy.configuration.onEvent(.foreignProtocol(upstream: exchange.upstream.url))
            return .problem(.badGateway)
        }
        exchange.send(await control.beginTunnel(), endsWithBody: true)
        return response.response(
            .stream { writer in try await exchange.pass(to: writer) }, upgrade: upgradeHead)
    }
}

extension HTTPClientError {
    /// Whether no byte of the request was sent.
    fileprivate var preventedConnection: Bool {
        switch self {
        case .resolveFailed, .forbiddenAddress, .connectFailed: true
        default: false
        }
    }
}
