// SPDX-License-Identifier: MIT

public import PortcullisHTTP

/// Why an exchange with another server failed.
///
/// Contains codes, never text from the request or the response.
public enum HTTPClientError: Error, Sendable, Hashable {
    /// The URL is not an absolute `http` or `https` URL, or has user information or a fragment.
    case invalidURL
    /// The method is not a token, or is CONNECT.
    case invalidMethod
    /// A field value contains a character that is not allowed.
    case invalidField
    /// The request sets a field that the client sets itself: `Host`, or one for framing or the connection.
    case reservedField
    /// The host name has no address; the number is the code of `getaddrinfo`.
    case resolveFailed(Int32)
    /// The client's configuration forbids every address of the host.
    case forbiddenAddress
    /// Connecting to every address of the host failed; the number is the last `errno`.
    case connectFailed(Int32)
    /// The TLS connection could not be made, or failed.
    case tls(TLSError)
    /// The deadline of the exchange passed during this phase.
    case timeout(HTTPClientPhase)
    /// The proxy could not be reached, or did not connect us to the server.
    case proxy(ProxyFault)
    /// The body of the response is larger than the request allows.
    case responseTooLarge
    /// The response is not HTTP, or its framing cannot be trusted.
    case malformedResponse(MalformedMessage)
    /// The connection ended before the response did.
    case closed
    /// Too many exchanges already wait for a connection or an address.
    case tooManyWaiting
    /// The task was cancelled.
    case cancelled
    /// The system could not create an event loop; the number is `errno`.
    case unavailable(Int32)
}
