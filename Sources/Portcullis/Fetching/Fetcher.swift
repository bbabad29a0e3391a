// SPDX-License-Identifier: MIT

public import PortcullisHTTP
public import PortcullisTransport

/// The gate's only access to the network: for keys, authorization server metadata, introspection and status lists.
///
/// An implementation must not follow redirects, must verify the server's certificate, and must respect the
/// bounds of the request. It may wait as long as ``FetchRequest/timeout``.
///
/// RFC 8414 §3, RFC 7662 §2.1, §4.
public protocol Fetcher: Sendable {
    /// Sends a request and returns the response, whatever its status.
    ///
    /// - Throws: ``FetchError`` if there is no complete response within the bounds.
    func fetch(_ request: FetchRequest) async throws(FetchError) -> FetchResponse
}

/// A request by the gate.
public struct FetchRequest: Sendable {
    /// An absolute URL from configuration, from validated metadata, or of a status list.
    ///
    /// A verified token names the list, at an origin that the configuration allows; no other URL comes from a token.
    public let url: String
    /// `GET` or `POST`.
    public let method: Method
    /// The fields, without `Host` and framing.
    public let fields: Fields
    /// The body; empty with `GET`.
    public let body: [UInt8]
    /// The timeout of the whole exchange.
    ///
    /// Default 5 seconds.
    public let timeout: Duration
    /// The maximum length of the response's body, in bytes.
    ///
    /// Default 1 MiB.
    public let maxResponseByteCount: Int

    /// Makes a request.
    public init(
        url: String, method: Method = .get, fields: Fields = [:], body: [UInt8] = [],
        timeout: Duration = .seconds(5), maxResponseByteCount: Int = 1_048_576
    ) {
        self.url = url
        self.method = method
        self.fields = fields
        self.body = body
        self.timeout = timeout
        self.maxResponseByteCount = maxResponseByteCount
    }
}

/// A response to the gate.
public struct FetchResponse: Sendable {
    /// The status.
    public let status: Status
    /// The fields.
    public let fields: Fields
    /// The whole body.
    public let body: [UInt8]

    /// Makes a response.
    public init(status: Status, fields: Fields = [:], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }
}

extension FetchRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Method and URL: the fields contain the resource's own secret, the body a client's token.
    public var description: String { "FetchRequest(\(method.name) \(url))" }
    /// Method and URL.
    public var debugDescription: String { description }
    /// No members.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension FetchResponse: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The status only: the body may contain personal claims.
    public var description: String { "FetchResponse(\(status.code))" }
    /// The status.
    public var debugDescription: String { description }
    /// No members.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// The reason that there is no response.
///
/// Contains no text from the network.
@nonexhaustive
public enum FetchError: Error, Sendable, Hashable {
    /// The connection failed or broke.
    case unreachable
    /// All addresses of the host are forbidden for the fetcher.
    case forbiddenAddress
    /// The certificate of the server is not trusted.
    case untrustedServer
    /// No complete response within the timeout.
    case timedOut
    /// A body longer than the maximum.
    case tooLarge
    /// Bytes that are not an HTTP response.
    case malformedResponse
    /// The gate has no fetcher.
    case noFetcher
    /// The package's own client failed: the phase and the cause.
    case failed(HTTPClientError)
}

extension FetchError {
    /// The error without its details: never ``failed(_:)``.
    package var kind: FetchError {
        guard case .failed(let error) = self else { return self }
        return switch error {
        case .timeout: .timedOut
        case .responseTooLarge: .tooLarge
        case .malformedResponse: .malformedResponse
        case .tls: .untrustedServer
        case .forbiddenAddress: .forbiddenAddress
        default: .unreachable
        }
    }
}

/// Used if no fetcher is configured: fixed keys need none.
struct NoFetcher: Fetcher {
    func fetch(_ request: FetchRequest) async throws(FetchError) -> FetchResponse {
        throw .noFetcher
    }
}
