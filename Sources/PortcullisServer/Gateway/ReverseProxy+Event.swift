// SPDX-License-Identifier: MIT

internal import PortcullisHTTP
public import PortcullisTransport

extension ReverseProxy {
    /// What an operator should know about a request that was not answered by the server behind.
    ///
    /// Contains the configured URL, and nothing of the request.
    public enum Event: Sendable, Hashable, CustomStringConvertible {
        /// The server could not be reached, or gave no usable answer; the client got this status.
        case failed(upstream: String, Failure, status: Int)
        /// The response broke off after its head; the client's connection was cut.
        case cut(upstream: String, Failure)
        /// The server behind answered 401; the client got 502, because the challenge is not for it.
        case unauthorized(upstream: String)
        /// The server behind switched to another protocol than the client offered; the client got 502.
        case foreignProtocol(upstream: String)
        /// A request that has passed here before; the client got 502.
        case loop
        /// The identity could not be signed; the client got 500.
        case unsigned

        /// One line for a log.
        public var description: String {
            switch self {
            case .failed(let upstream, let failure, let status):
                "gateway: \(upstream): \(failure); answered \(status)"
            case .cut(let upstream, let failure):
                "gateway: \(upstream): \(failure) within a response; cut the client's connection"
            case .unauthorized(let upstream):
                "gateway: \(upstream): answered 401, which asks for credentials that are not passed on; "
                    + "answered 502"
            case .foreignProtocol(let upstream):
                "gateway: \(upstream): switched to a protocol that was not offered; answered 502"
            case .loop: "gateway: a request came here twice, see Via; answered 502"
            case .unsigned: "gateway: the identity could not be signed; answered 500"
            }
        }
    }

    /// Why the server behind gave no answer.
    public enum Failure: Sendable, Hashable, CustomStringConvertible {
        /// All places for requests in flight are taken.
        case noPlace
        /// The exchange failed.
        case client(HTTPClientError)

        /// Some words.
        public var description: String {
            switch self {
            case .noPlace: "no free connection"
            case .client(let error): "\(error)"
            }
        }
    }
}

extension HTTPClientError {
    /// The status for the client.
    ///
    /// RFC 9110 §15.6.3, §15.6.4, §15.6.5.
    var gatewayStatus: Status {
        switch self {
        case .tooManyWaiting, .timeout(.waiting), .unavailable: .serviceUnavailable
        case .timeout: .gatewayTimeout
        default: .badGateway
        }
    }
}
