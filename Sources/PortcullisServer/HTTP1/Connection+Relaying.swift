// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// What only handlers that relay to another server do.
extension Connection {
    /// Answers with another server's response, without a task until its content streams.
    func startRelay(_ relay: any Relay, _ route: CompiledRoute, _ passage: CompiledRoute.Passage) {
        let id = exchangeID
        beginWork()
        state.handlerEndsWithClient()
        let answer = relay.answer(
            to: passage.request, through: RelayControl(connection: self, id: id))
        makePending().relay = answer
        answer.begin { result in
            self.loop.execute {
                self.assumeIsolated { $0.relayAnswered(id, result, route, passage) }
            }
        }
        if state.hasLostStream { cancelHandler() }
    }

    private func relayAnswered(
        _ id: UInt64, _ result: Result<Response, any Error>, _ route: CompiledRoute,
        _ passage: CompiledRoute.Passage
    ) {
        endWork()
        guard isCurrent(id) else { return }
        pending?.relay = nil
        guard var response = route.response(result, to: passage) else { return cut(id) }
        finish(&response, passage.request.head)
        respond(with: response, route)
        // Batches responses that arrive together; the callback may also run before `begin` returns.
        continueLater()
    }

    fileprivate func sendInterim(_ status: Status, _ fields: Fields, _ id: UInt64) {
        guard isCurrent(id), state.mayAnswer, state.request?.version == .http1_1 else { return }
        output.borrow(&context.outputBuffer)
        appendHead(ResponseHead(status: status, fields: fields), .none, .http1_1, keepAlive: true)
        flush()
    }

    fileprivate func beginTunnel(_ id: UInt64) -> RequestBody {
        guard isCurrent(id), state.tunnelBegan() else { return .empty }
        body = BodyReader(.length(.max), limits: terms.wireLimits, limit: .max)
        return streamedBody(length: nil)
    }
}

/// The client's connection, for a handler that relays.
struct RelayControl: ExchangeControl {
    let connection: Connection
    let id: UInt64

    var isEncrypted: Bool { connection.terms.tls != nil }

    var certificateFieldName: FieldName? {
        let proxies = connection.context.core.proxies
        return proxies.sendsClientCertificates ? proxies.clientCertificateField.name : nil
    }

    func sendInterim(_ status: Status, _ fields: Fields) {
        connection.loop.execute { connection.assumeIsolated { $0.sendInterim(status, fields, id) } }
    }

    func beginTunnel() async -> RequestBody {
        await connection.beginTunnel(id)
    }
}
