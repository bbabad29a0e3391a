// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP
internal import PortcullisJOSE
internal import PortcullisTransport
internal import Synchronization

/// One request that is passed on, until the head of its response has arrived.
///
/// Another server gets it only if no byte has been sent to the first. RFC 9110 §9.2.2.
final class RelayedRequest: RelayedAnswer {
    private struct State {
        var tried: [Upstream] = []
        var exchange: RelayedExchange?
        var isCancelled = false
    }

    private let request: Request
    private let relay: ProxyRelay
    private let control: (any ExchangeControl)?
    private let state = Mutex(State())
    private var proxy: ReverseProxy { relay.proxy }

    init(_ request: Request, _ relay: ProxyRelay, _ control: (any ExchangeControl)?) {
        self.request = request
        self.relay = relay
        self.control = control
    }

    func begin(then finish: @escaping Receiver) {
        let forwarded: UpstreamRequest
        do throws(ForwardingRefusal) {
            forwarded = try UpstreamRequest(
                request, relay.rules, certificateFieldName: control?.certificateFieldName)
        } catch {
            if error == .loop { proxy.configuration.onEvent(.loop) }
            return finish(.success(.problem(error.status)))
        }
        guard !forwarded.endsHere else { return finish(.success(Self.options)) }
        send(forwarded, finish)
    }

    func cancel() {
        let exchange = state.withLock { state in
            state.isCancelled = true
            return state.exchange
        }
        exchange?.stream.cancel()
    }

    /// RFC 9110 §7.6.2, §9.3.7.
    private static let options: Response = {
        var response = Response.noContent
        response.fields[.allow] = Method.everyMethod.namedMethods.joined(separator: ", ")
        return response
    }()

    // MARK: The request

    private func send(_ forwarded: UpstreamRequest, _ finish: @escaping Receiver) {
        guard let upstream = nextUpstream else { return finish(.success(.problem(.badGateway))) }
        let exchange: RelayedExchange
        do {
            exchange = try open(forwarded, upstream)
        } catch let error as ForwardingRefusal {
            return finish(.success(.problem(error.status)))
        } catch let error as HTTPClientError {
            return finish(.success(refuse(error, upstream)))
        } catch {
            proxy.configuration.onEvent(.unsigned)
            return finish(.success(.problem(.internalServerError)))
        }
        let isCancelled = state.withLock { state in
            state.exchange = exchange
            return state.isCancelled
        }
        if isCancelled { exchange.stream.cancel() }
        exchange.finalHead(control) { [self] result in
            state.withLock { $0.exchange = nil }
            switch result {
            case .success(let head):
                upstream.succeeded()
                answer(head, of: exchange, forwarded, finish)
            case .failure(let error):
                failed(error, exchange, forwarded, finish)
            }
        }
    }

    private var nextUpstream: Upstream? { proxy.upstreams.next(state.withLock { $0.tried }, .now()) }

    private func failed(
        _ error: HTTPClientError, _ exchange: RelayedExchange, _ forwarded: UpstreamRequest,
        _ finish: @escaping Receiver
    ) {
        if state.withLock({ $0.isCancelled }) { return finish(.failure(CancellationError())) }
        // The client's body was malformed, too long or too late.
        if let failure = exchange.bodyFailure { return finish(.failure(failure)) }
        let upstream = exchange.upstream
        noteFailure(error, of: upstream)
        if error.preventedConnection, proxy.upstreams.members.count > 1 {
            state.withLock { $0.tried.append(upstream) }
            if nextUpstream != nil { return send(forwarded, finish) }
        }
        finish(.success(refuse(error, upstream)))
    }

    private func open(_ forwarded: UpstreamRequest, _ upstream: Upstream) throws -> RelayedExchange {
        let message = try forwarded.message(
            basePath: upstream.basePath, authority: upstream.authority, request,
            isEncrypted: control?.isEncrypted ?? false,
            assertion: try assertion(forwarded, upstream))
        let stream = try proxy.client.open(
            StreamedRequest(
                to: upstream.origin, request.method, message: message, rest: forwarded.rest,
                timeouts: proxy.timeouts, isRepeatable: forwarded.isRepeatable,
                offersUpgrade: forwarded.upgrade != nil))
        let exchange = RelayedExchange(stream, upstream, relay)
        if let body = forwarded.pendingBody { exchange.send(body) }
        return exchange
    }

    /// The signed identity; empty on a public route, `nil` if none is configured.
    private func assertion(
        _ forwarded: UpstreamRequest, _ upstream: Upstream
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
        _ finish: @escaping Receiver
    ) {
        if head.status.code == 101 { return upgrade(head, of: exchange, forwarded, finish) }
        finish(.success(response(head, of: exchange)))
    }

    private func response(_ head: ParsedResponseHead, of exchange: RelayedExchange) -> Response {
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
        _ finish: @escaping Receiver
    ) {
        let response = UpstreamResponse(head)
        guard let offered = forwarded.upgrade, let upgradeHead = response.upgradeHead(offered), let control
        else {
            proxy.configuration.onEvent(.foreignProtocol(upstream: exchange.upstream.url))
            return finish(.success(.problem(.badGateway)))
        }
        Task(executorPreference: EventLoop.current) {
            exchange.send(await control.beginTunnel(), endsWithBody: true)
            finish(
                .success(
                    response.response(
                        .stream { writer in try await exchange.pass(to: writer) }, upgrade: upgradeHead)))
        }
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
