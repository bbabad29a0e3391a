// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// What only handlers that relay to another server do.
extension Connection {
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

    func sendInterim(_ status: Status, _ fields: Fields) async {
        await connection.sendInterim(status, fields, id)
    }

    func beginTunnel() async -> RequestBody {
        await connection.beginTunnel(id)
    }
}
