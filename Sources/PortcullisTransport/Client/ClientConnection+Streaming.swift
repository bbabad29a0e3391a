// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// An exchange whose bodies pass in pieces, with backpressure in both directions.
extension ClientConnection {
    func begin(_ streamed: StreamedExchange, _ exchange: Exchange) {
        decoder = ResponseDecoder(
            method: exchange.method, reportsInterim: true, acceptsUpgrade: streamed.offersUpgrade)
        streamed.opened(on: self)
    }

    /// Writes more of the request's body until the socket would block.
    func sendBody(of streamed: StreamedExchange) {
        while !cannotSend, let piece = streamed.nextOutput {
            let result = piece.bytes.withUnsafeBytes {
                stream.write(UnsafeRawBufferPointer(rebasing: $0[piece.start...]))
            }
            switch result {
            case .bytes(let count): streamed.sent(count)
            case .wouldBlock(let wanted): return loop.rearm(stream.descriptor, for: wanted)
            case .closed, .failed:
                cannotSend = true
                mayHaveUnread = true
                streamed.cannotSend()
            }
        }
    }

    /// Takes bytes of the response.
    func take(_ bytes: UnsafeRawBufferPointer, _ streamed: StreamedExchange) {
        guard var decoder else { return }
        // Moved out and back, because it would be copied for the change otherwise.
        self.decoder = nil
        do throws(MalformedMessage) {
            let keepAlive = try decoder.take(bytes) { streamed.receive($0) }
            self.decoder = decoder
            guard let keepAlive else {
                if streamed.beginsGathering() { gather(streamed) } else { streamed.deliver() }
                return
            }
            finishExchange(keepAlive: keepAlive)
            streamed.end(.success(()))
        } catch {
            self.decoder = decoder
            streamed.deliver()
            fail(.malformedResponse(error))
        }
    }

    /// Reads once more when the other connections have had their turn, then passes the head on.
    private func gather(_ streamed: StreamedExchange) {
        loop.executeLater {
            if self.exchange?.stream === streamed {
                self.mayHaveUnread = true
                self.transfer()
            }
            streamed.endGathering()
        }
    }

    /// Takes the end of the connection.
    func takeEnd(_ streamed: StreamedExchange) {
        guard decoder?.endsWithConnection == true else { return fail(.closed) }
        finishExchange(keepAlive: false)
        streamed.end(.success(()))
    }

    func applyDeadline(of streamed: StreamedExchange) {
        guard phase == .exchanging else { return }
        loop.setDeadline(streamed.deadline(loop.now, isHeadSent: isHeadSent), for: stream.descriptor)
    }
}
