// SPDX-License-Identifier: MIT

public import PortcullisHTTP

/// The gate's only way out to the network: keys, authorization server metadata, introspection.
///
/// An implementation must not follow redirects, must check the server's certificate, and must keep to the bounds of the
/// request. It may wait as long as ``FetchRequest/timeout``.
///
/// RFC 8414 §3, RFC 7662 §2.1, §4.
public protocol Fetcher: Sendable {
    /// Sends a request and returns whatever response comes, of any status.
    ///
    /// - Throws: ``FetchError`` if there is no complete response within the bounds.
    func fetch(_ request: FetchRequest) async throws(FetchError) -> FetchResponse
}

/// A request that the gate wants sent.
public struct FetchRequest: Sendable {
    /// An absolute URL from configuration, or from metadata that was checked; never from a token.
    public let url: String
    /// `GET` or `POST`.
    public let method: Method
    /// The fields, without `Host` and framing.
    public let fields: Fields
    /// The body; empty with `GET`.
    public let body: [UInt8]
    /// The bound for the whole exchange.
    ///
    /// Default 5 seconds.
    public let timeout: Duration
    /// The bound for the body of the response, in bytes.
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
    /// Method and URL: the fields hold the resource's own secret, the body a client's token.
    public var description: String { "FetchRequest(\(method.name) \(url))" }
    /// Method and URL.
    public var debugDescription: String { description }
    /// Nothing of what it holds.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension FetchResponse: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The status: the body may say whose token it was.
    public var description: String { "FetchResponse(\(status.code))" }
    /// The status.
    public var debugDescription: String { description }
    /// Nothing of what it holds.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Why there is no response.
///
/// Holds no text from the network.
@nonexhaustive
public enum FetchError: Error, Sendable, Hashable {
    /// No connection, or one that broke.
    case unreachable
    /// The host has only addresses that the fetcher may not connect to.
    case forbiddenAddress
    /// The certificate of the server is not trusted.
    case untrustedServer
    /// Nothing complete within the time.
    case timedOut
    /// A body above the bound.
    case tooLarge
    /// Bytes that are no HTTP response.
    case malformedResponse
    /// Nobody gave the gate a way to the network.
    case noFetcher
}

/// Stands in where no fetcher was given: fixed keys need none.
struct NoFetcher: Fetcher {
    func fetch(_ request: FetchRequest) async throws(FetchError) -> FetchResponse {
        throw .noFetcher
    }
}
