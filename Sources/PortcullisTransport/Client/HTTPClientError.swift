// SPDX-License-Identifier: MIT

public import PortcullisHTTP

/// Why an exchange with another server came to nothing.
///
/// Holds codes, never text from the request or the answer.
public enum HTTPClientError: Error, Sendable, Hashable {
    /// The URL is no absolute `http` or `https` one, or holds user information or a fragment.
    case invalidURL
    /// The method is no token, or is CONNECT.
    case invalidMethod
    /// A field value holds what none may hold.
    case invalidField
    /// The request sets a field that the client sets itself: those of framing and of the connection, and `Host`.
    case reservedField
    /// The host name has no address; the number is that of `getaddrinfo`.
    case resolveFailed(Int32)
    /// The client's configuration forbids every address of the host.
    case forbiddenAddress
    /// None of the host's addresses could be connected to; the number is the `errno` of the last one.
    case connectFailed(Int32)
    /// The TLS connection could not be made or went wrong.
    case tls(TLSError)
    /// The deadline of the exchange passed.
    case timeout
    /// The body of the response is larger than the request allows.
    case responseTooLarge
    /// The response is not HTTP, or framed in a way that cannot be trusted.
    case malformedResponse(MalformedMessage)
    /// The connection ended before the response did.
    case closed
    /// As many exchanges as are allowed wait for a connection, or for an address, already.
    case tooManyWaiting
    /// The task was cancelled.
    case cancelled
    /// The system gives no event loop; the number is `errno`.
    case unavailable(Int32)
}
