// SPDX-License-Identifier: MIT

/// A phase of an exchange with another server, in order.
public enum HTTPClientPhase: Sendable, Hashable, CaseIterable {
    /// Waiting for a connection, because all allowed ones are busy.
    case waiting
    /// Looking the host name up, or reading the system's trusted certificates.
    case preparing
    /// Connecting to an address of the host.
    case connecting
    /// Waiting until the proxy is connected to the server. RFC 9110 §9.3.6.
    case tunnelling
    /// The TLS handshake.
    case handshaking
    /// Sending the request and receiving the response.
    case answering
}

/// Why a proxy did not forward an exchange.
///
/// Contains codes, never text from the proxy.
public enum ProxyFault: Error, Sendable, Hashable {
    /// The proxy's name has no address; the number is the code of `getaddrinfo`.
    case resolveFailed(Int32)
    /// Connecting to every address of the proxy failed; the number is the last `errno`.
    case connectFailed(Int32)
    /// The proxy answered CONNECT with this status. RFC 9110 §9.3.6.
    case status(Int)
    /// The answer to CONNECT is not HTTP, is too large, or is followed by bytes that nobody asked for.
    case malformedAnswer
    /// The proxy closed the connection before it answered CONNECT.
    case closed
}

extension HTTPClientPhase: CustomStringConvertible {
    /// The phase after "timed out while".
    public var description: String {
        switch self {
        case .waiting: "waiting for a free connection"
        case .preparing: "looking up the host name"
        case .connecting: "connecting"
        case .tunnelling: "waiting for the proxy to connect"
        case .handshaking: "negotiating TLS"
        case .answering: "waiting for the answer"
        }
    }
}

extension ProxyFault: CustomStringConvertible {
    /// The fault as a phrase.
    public var description: String {
        switch self {
        case .resolveFailed(let code):
            "the name of the proxy was not found (\(SystemMessage.text(ofLookUp: code)))"
        case .connectFailed(let code): "the proxy cannot be reached: \(HTTPClientError.words(code))"
        case .status(407): "the proxy wants other credentials (status 407)"
        case .status(let code): "the proxy did not connect to the server (status \(code))"
        case .malformedAnswer: "the answer of the proxy to CONNECT is malformed or too large"
        case .closed: "the proxy closed the connection before it answered CONNECT"
        }
    }
}
