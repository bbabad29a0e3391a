// SPDX-License-Identifier: MIT

package import PortcullisHTTP

/// A request whose bodies are streamed.
package struct StreamedRequest: Sendable {
    /// How the rest of the body is framed.
    package enum Rest: Sendable, Hashable {
        /// There is none: the message is complete.
        case none
        /// Its bytes as they are, because the head declares the length.
        case plain
        /// Chunks.
        case chunked
    }

    /// The longest times of its parts.
    package struct Timeouts: Sendable, Hashable {
        /// Waiting for a connection, the look-up, connecting and the TLS handshake together.
        package var connect: Duration
        /// From the end of the request to the head of the final response.
        package var response: Duration
        /// Between two pieces of a body, in either direction.
        package var idle: Duration

        package init(connect: Duration, response: Duration, idle: Duration) {
            self.connect = connect
            self.response = response
            self.idle = idle
        }
    }

    let origin: Origin
    let method: Method
    /// The head and the part of the body that is there, as sent.
    ///
    /// Never logged.
    let message: [UInt8]
    let rest: Rest
    let timeouts: Timeouts
    /// Whether it may be sent twice: if a kept connection closes before any byte of the response.
    ///
    /// RFC 9110 §9.2.2, RFC 9112 §9.3.1.
    let isRepeatable: Bool
    /// Whether the request offers another protocol.
    let offersUpgrade: Bool

    /// Makes a request; the caller has framed and checked the message.
    package init(
        to origin: Origin, _ method: Method, message: [UInt8], rest: Rest = .none, timeouts: Timeouts,
        isRepeatable: Bool = false, offersUpgrade: Bool = false
    ) {
        self.origin = origin
        self.method = method
        self.message = message
        self.rest = rest
        self.timeouts = timeouts
        self.isRepeatable = isRepeatable && rest == .none
        self.offersUpgrade = offersUpgrade
    }
}

extension HTTPClient {
    /// Begins an exchange whose bodies are streamed; it waits for a connection if there is none.
    ///
    /// Called on an event loop of the server, the exchange stays on that loop.
    ///
    /// - Throws: `unavailable`.
    package func open(_ request: StreamedRequest) throws(HTTPClientError) -> StreamedExchange {
        StreamedExchange(request, in: try core.pool(permitting: .any), of: core)
    }
}
