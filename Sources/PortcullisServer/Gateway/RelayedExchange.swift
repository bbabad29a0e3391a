// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
internal import PortcullisTransport
internal import Synchronization

/// An exchange with a server behind the gateway, for as long as its response is in use.
///
/// Cancelled when it is released: the client has left, or the response is not needed.
final class RelayedExchange: Sendable {
    let stream: StreamedExchange
    let upstream: Upstream
    /// Keeps the client's connections while routes are replaced.
    private let relay: ProxyRelay
    private let failure = Mutex<(any Error)?>(nil)

    init(_ stream: StreamedExchange, _ upstream: Upstream, _ relay: ProxyRelay) {
        self.stream = stream
        self.upstream = upstream
        self.relay = relay
        upstream.begin()
    }

    deinit {
        upstream.end()
        stream.cancel()
    }

    /// Why the client's body could not be read, if so.
    var bodyFailure: (any Error)? { failure.withLock { $0 } }

    // MARK: The request

    /// Sends a body as it arrives, in a task of its own, once there is a connection.
    ///
    /// - Parameter endsWithBody: Whether the exchange ends when the body does.
    func send(_ body: RequestBody, endsWithBody: Bool = false) {
        let stream = stream
        // Weak, because a client that sends nothing more must not keep the exchange.
        Task(executorPreference: EventLoop.current) { [weak self] in
            do {
                try await stream.untilOpened()
                for try await piece in body { try await stream.write(piece) }
                if endsWithBody { stream.cancel() } else { stream.endRequest() }
            } catch is HTTPClientError {
                // The exchange has ended; whoever waits for the response knows why.
            } catch RequestBodyError.notAvailable {
                // The response ended before the request.
            } catch {
                self?.failure.withLock { $0 = error }
                stream.cancel()
            }
        }
    }

    // MARK: The response

    /// Passes on the head of the final response, after all interim ones.
    ///
    /// Keeps the exchange until then.
    func finalHead(
        _ control: (any ExchangeControl)?, then receive: @escaping StreamedExchange.HeadReceiver
    ) {
        stream.nextHead { [self] result in
            guard case .success(let head) = result, head.status.isInformational, head.status.code != 101
            else { return receive(result) }
            // RFC 9110 §15.2: 100 answers an expectation, and this server answers its clients' itself.
            if head.status.code != 100 { control?.sendInterim(head.status, UpstreamResponse(head).fields) }
            finalHead(control, then: receive)
        }
    }

    /// Passes the content on, each piece as it comes.
    ///
    /// If its task is cancelled, whoever did so ends the response.
    func pass(to writer: ResponseBodyWriter) async throws {
        do {
            try await withTaskCancellationHandler {
                if !stream.hasPiece { await writer.sink.begin() }
                while let piece = try await stream.nextPiece() { try await writer.write(piece) }
            } onCancel: {
                stream.cancel()
            }
        } catch let error as HTTPClientError {
            if Task.isCancelled, error == .cancelled { throw CancellationError() }
            // RFC 9112 §8: an incomplete response is never completed.
            if error != .cancelled {
                upstream.failed(at: .now())
                relay.proxy.configuration.onEvent(.cut(upstream: upstream.url, .client(error)))
            }
            await writer.sink.cut()
            throw error
        } catch {
            // The client has left, or its token has expired: the rest is not needed.
            stream.cancel()
            throw error
        }
    }
}
